"""Several requests rejected at once: what is selected in the inbox is shown again, whole, before anything happens."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals import services
from approvals.forms import LONGEST_COMMENT
from approvals.rejecting import MOST_AT_ONCE, Chosen, reject_each
from approvals.waiting import waits_for
from approvals.web.inbox_rows import Row, for_rows, rows_of
from identity.principals import Principal
from identity.viewer import viewer


class RejectForm(forms.Form):
    comment = forms.CharField(
        max_length=LONGEST_COMMENT,
        label="Why",
        help_text="Recorded with each rejection. Whoever asked reads it: say what should change.",
        error_messages={"required": "Say why, so that whoever asked knows what to change."},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@login_required
@require_http_methods(["GET", "POST"])
def requests_reject(http: HttpRequest) -> HttpResponse:
    given = http.POST if http.method == "POST" else http.GET
    chosen, back = _chosen(given), given.get("back", "")
    if not chosen:
        messages.error(http, "Select what is to be rejected first.")
        return redirect(f"{reverse('request-list')}?{back}")
    form = RejectForm(http.POST if http.method == "POST" else None)
    if http.method == "POST" and form.is_valid():
        return _rejected(http, chosen, form.cleaned_data["comment"], back)
    rows = _rows(viewer(http), list(chosen))
    wanted = {pk: row for pk, row in rows.items() if not _why_not(row, chosen[pk])}
    left_out = [(rows[pk], _why_not(rows[pk], one)) for pk, one in chosen.items() if pk in rows and pk not in wanted]
    context = {
        "form": form,
        "rows": [wanted[pk] for pk in chosen if pk in wanted],
        "left_out": left_out,
        "unknown": len(chosen) - len(rows),
        "back": back,
    }
    return render(http, "approvals/requests-reject.html", context, status=422 if form.errors else 200)


def _rejected(http: HttpRequest, chosen: Mapping[uuid.UUID, Chosen], comment: str, back: str) -> HttpResponse:
    person = viewer(http)
    outcomes = reject_each(person, list(chosen.values()), comment)
    rows = _rows(person, list(chosen))
    context = {
        "rejected": [rows[one.request_id] for one in outcomes if not one.why and one.request_id in rows],
        "left_out": [(rows.get(one.request_id), one.why) for one in outcomes if one.why],
        "comment": comment,
        "back": back,
    }
    return render(http, "approvals/requests-rejected.html", context)


def _rows(person: Principal, chosen: Sequence[uuid.UUID]) -> dict[uuid.UUID, Row]:
    visible = services.list_requests_for(person, "all").filter(pk__in=chosen)
    return {row.request.pk: row for row in rows_of(list(for_rows(visible)), person, waits_for(person))}


def _why_not(row: Row, one: Chosen) -> str:
    if row.request.revision != one.revision:
        return "It was edited after you selected it: read it again."
    return "" if row.decidable else "You cannot review it now: its page says why."


def _chosen(given: QueryDict) -> dict[uuid.UUID, Chosen]:
    chosen: dict[uuid.UUID, Chosen] = {}
    for text in given.getlist("request")[:MOST_AT_ONCE]:
        pk, _, revision = text.partition(":")
        try:
            one = Chosen(uuid.UUID(pk), int(revision))
        except ValueError:
            continue
        chosen[one.request_id] = one
    return chosen
