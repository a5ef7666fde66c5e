"""The page on which a signed-in person shows a second factor again: a passkey or a code, and then back to where they were."""

from __future__ import annotations

from typing import Any

from allauth.account.views import BaseReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from identity.factor_forms import CodeForm, PasskeyForm
from identity.models import User
from identity.second_factor import BACK, has_factor


class ShowFactorView(BaseReauthenticateView):  # type: ignore[misc]
    """Limits of tries, and going on with what was interrupted, are allauth's."""

    template_name = "mfa/show.html"

    def _check_reauthentication_method_available(self, request: HttpRequest) -> HttpResponse | None:
        assert isinstance(request.user, User)  # noqa: S101  narrows the type
        return None if has_factor(request.user) else redirect("mfa_index")

    def get_form_class(self) -> type[Form]:
        return PasskeyForm if "credential" in self.request.POST else CodeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: Any) -> HttpResponse:
        form.save()
        self.request.session.pop(BACK, None)
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**given)
        user, form = self.request.user, context["form"]
        context["code_form"] = form if isinstance(form, CodeForm) else CodeForm(user=user)
        if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists():
            context["passkey_form"] = form if isinstance(form, PasskeyForm) else PasskeyForm(user=user)
            context["js_data"] = {"request_options": begin_authentication(user)}
        return context


show_factor = never_cache(login_required(ShowFactorView.as_view()))
