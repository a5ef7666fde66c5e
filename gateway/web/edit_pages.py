"""The page on which whoever asked changes a statement that waits for people."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from approvals import services as approvals
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.models import Request
from gateway import editing
from gateway.models import Query
from governance.errors import GatewayError
from identity.principals import Principal
from identity.viewer import viewer

MOST_PARAMETERS = 1000
PLAIN = {"class": "sql-input", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class EditForm(forms.Form):
    """The text is taken exactly as it was typed: what is approved is what runs (P4)."""

    sql = forms.CharField(
        strip=False,
        max_length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        label="Statement",
        widget=forms.Textarea(attrs={**PLAIN, "rows": 12}),
        error_messages={"required": "Write a statement first."},
    )
    params = forms.CharField(
        required=False,
        label="Parameters",
        help_text='A JSON list with one value for each $n, in order, such as [42, "open"].',
        widget=forms.Textarea(attrs={**PLAIN, "rows": 3, "class": "sql-input edit-params"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def clean_sql(self) -> str:
        # Browsers send line ends as CR LF; what was typed had none.
        sql = str(self.cleaned_data["sql"]).replace("\r\n", "\n")
        if not sql.strip():
            raise forms.ValidationError("Write a statement first.")
        return sql

    def clean_params(self) -> list[Any]:
        text = self.cleaned_data["params"].strip()
        try:
            found = json.loads(text, parse_constant=_no_value) if text else []
        except ValueError as error:
            raise forms.ValidationError(f"That is no JSON: {error}.") from None
        if not isinstance(found, list) or len(found) > MOST_PARAMETERS:
            raise forms.ValidationError(f"Parameters are a JSON list of at most {MOST_PARAMETERS:,} values.")
        return found


def _no_value(name: str) -> Any:
    raise ValueError(f"{name} is no value of JSON")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def request_edit(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    request, query = _editable(person, request_id)
    if why := approvals.why_not_edit(request, person):
        messages.error(http, why)
        return redirect("request-detail", request_id)
    if http.method != "POST":
        given = json.dumps(request.params, ensure_ascii=False) if request.params else ""
        form = EditForm(initial={"sql": request.sql, "params": given, "revision": request.revision})
        return _page(http, request, form)
    form = EditForm(http.POST)
    if form.is_valid() and _edited(http, person, query, request, form):
        return redirect("request-detail", request_id)
    return _page(http, request, form, 422)


def _editable(person: Principal, request_id: uuid.UUID) -> tuple[Request, Query]:
    """Only for whoever asked, and who owns the agent that did."""
    related = ("datasource", "agent__owner", "user", "request__agent", "request__owner", "request__datasource")
    try:
        found = approvals.fetch_request_for(person, request_id)
        approvals.why_not_edit(found, person)
    except UnknownRequest:
        raise Http404 from None
    query = Query.objects.select_related(*related).filter(request_id=found.pk).first()
    if query is None or query.request is None:
        raise Http404
    return query.request, query


def _edited(http: HttpRequest, person: Principal, query: Query, request: Request, form: EditForm) -> bool:
    values = form.cleaned_data
    if values["revision"] != request.revision:
        form.add_error(None, "It was edited meanwhile: look at the text as it is now, and edit that.")
        return False
    try:
        editing.edit(person, query, values["sql"], values["params"])
    except ReviewRefused as refusal:
        form.add_error(None, refusal.message)
    except GatewayError as error:
        form.add_error(None, f"{error.title}: {error.message} {error.remedy}".strip())
    else:
        messages.success(http, "Edited. It was analysed and decided anew, and waits for people again.")
        return True
    return False


def _page(http: HttpRequest, request: Request, form: EditForm, status: int = 200) -> HttpResponse:
    given = request.reviews.filter(revision=request.revision).count()
    context = {"item": request, "form": form, "void": given}
    return render(http, "approvals/request-edit.html", context, status=status)
