"""The page on which somebody asks to take a change back."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from approvals import services as approvals
from approvals.errors import UnknownRequest
from approvals.models import Request, UndoLog
from approvals.undo.keeping import log_of
from approvals.undo.showing import may_revert
from audit.ledger import LedgerUnavailable
from gateway.models import Door
from gateway.undo import NoUndo, revert
from governance.errors import GatewayError
from identity.principals import Principal
from identity.viewer import viewer

DOES = {
    "insert": "what was inserted is deleted",
    "update": "what was updated gets its earlier values",
    "delete": "what was deleted is inserted again",
    "merge": "what was inserted is deleted, what was updated gets its earlier values, what was deleted is inserted again",
}


class RevertForm(forms.Form):
    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Why",
        help_text="Reviewers read it beside the request.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    only_unchanged = forms.BooleanField(
        required=False,
        label="Leave out rows that were changed since",
        help_text="They stay as they are now; the others are put back.",
    )


@login_required
@require_http_methods(["GET", "POST"])
def request_revert(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    request, log = _undoable(person, request_id)
    if log is None or not log.row_count:
        why = "no rows are kept of it any more." if log is None else "it changed no row."
        messages.error(http, f"It cannot be taken back: {why}")
        return redirect("request-detail", request_id)
    form = RevertForm(http.POST if http.method == "POST" else None)
    status = 200
    if http.method == "POST":
        if form.is_valid() and (made := _ask(http, person, request, form)) is not None:
            return redirect("request-detail", made)
        status = 422
    context = {"item": request, "log": log, "form": form, "does": DOES[log.verb]}
    return render(http, "approvals/request-revert.html", context, status=status)


def _undoable(person: Principal, request_id: uuid.UUID) -> tuple[Request, UndoLog | None]:
    try:
        request = approvals.fetch_request_for(person, request_id)
    except UnknownRequest:
        raise Http404 from None
    if not may_revert(request, person):
        raise Http404
    return request, log_of(request)


def _ask(http: HttpRequest, person: Principal, request: Request, form: RevertForm) -> uuid.UUID | None:
    try:
        made = revert(
            person,
            request.pk,
            only_unchanged=form.cleaned_data["only_unchanged"],
            reason=form.cleaned_data["reason"],
            door=Door.WEB,
        )
    except NoUndo as error:
        form.add_error(None, f"{error.message} {error.remedy}".strip())
    except GatewayError as error:
        form.add_error(None, f"{error.title}: {error.message} {error.remedy}".strip())
    except LedgerUnavailable as error:
        form.add_error(None, f"It is not recorded, so nothing was asked for: {error}. Send it again in a moment.")
    else:
        left = f" {_rows(made.left_out)} left out: changed since." if made.left_out else ""
        messages.success(http, f"Asked: once people approve this request, {_rows(made.rows)} put back.{left}")
        return uuid.UUID(str(made.request.pk))
    return None


def _rows(count: int) -> str:
    return f"{count} row is" if count == 1 else f"{count} rows are"
