"""What a person was told, and how they want to be told."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from approvals.notification import history, preferences
from approvals.notification.mail import mail_is_set_up
from approvals.notification.preferences import PreferenceRefused
from approvals.web.notification_forms import PreferenceForm
from audit.ledger import LedgerUnavailable
from identity.models import User


@login_required
@require_GET
def notifications(http: HttpRequest) -> HttpResponse:
    return _page(http, PreferenceForm.showing(preferences.preference_of(_person(http))))


@login_required
@require_POST
def notification_preferences(http: HttpRequest) -> HttpResponse:
    form = PreferenceForm(http.POST)
    status = 422
    if form.is_valid():
        try:
            preferences.save(_person(http), **form.values())
        except PreferenceRefused as error:
            form.refuse(error.field, error.message)
        except LedgerUnavailable as error:
            form.add_error(
                None, f"The change cannot be recorded, so it was not made: {error}. Send it again in a moment."
            )
            status = 503
        else:
            messages.success(http, "Saved. It holds for what happens from now on.")
            return redirect("notifications")
    return _page(http, form, status=status)


@login_required
@require_POST
def notification_test(http: HttpRequest) -> HttpResponse:
    person = _person(http)
    try:
        history.send_test(person)
    except PreferenceRefused as error:
        messages.error(http, f"No test was sent. {error.message}")
    else:
        messages.success(http, f"A test is on its way to {person.email}. Load this page again to see how it went.")
    return redirect("notifications")


def _person(http: HttpRequest) -> User:
    assert isinstance(http.user, User)  # noqa: S101  narrows the type, behind login_required
    return http.user


def _page(http: HttpRequest, form: PreferenceForm, status: int = 200) -> HttpResponse:
    # As it is saved: a form that was refused may have touched the object of this request.
    person = User.objects.get(pk=_person(http).pk)
    context = {
        "form": form,
        "warnings": preferences.warnings_for(person, preferences.preference_of(person)),
        "told": history.told_to(person),
        "can_test": mail_is_set_up() and bool(person.email),
    }
    return render(http, "approvals/notifications.html", context, status=status)
