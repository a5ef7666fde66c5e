"""What an open inbox asks every few seconds. While nothing has changed, the answer is empty and costs two small queries; else
the rows that look different now come, each to its own place, and the news of what would be new. Nothing moves."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals import services
from approvals.models import Request
from approvals.paging import ORDERS, within
from approvals.states import State
from approvals.web.inbox import Inbox
from approvals.web.inbox_rows import for_rows, rows_of

MOST_ROWS = 100
MOST_NEWS = 99
# Who may review follows from groups, absences and policy too: they are looked at again this often.
AGAIN_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the list that a page shows: between the cursors `start` and `end`, both included; empty: no end that way.
    `version` is what was there when it was drawn."""

    start: str = ""
    end: str = ""
    version: str = ""


@login_required
@require_GET
def request_live_list(http: HttpRequest) -> HttpResponse:
    shown = _shown(http)
    version = seen_now(list(shown))
    if http.GET.get("seen") == version:
        return HttpResponse(status=204)
    inbox = Inbox.of(http)
    window = Window(http.GET.get("start", ""), http.GET.get("end", ""), version)
    visible = services.list_requests_for(inbox.person, "all").filter(pk__in=shown)
    staying = inbox.listed().filter(pk__in=shown).values_list("pk", flat=True)
    rows = rows_of(list(for_rows(visible)), inbox.person, inbox.waiting, staying)
    context = {
        "changed": [row for row in rows if row.version != shown[row.request.pk]],
        "fresh": _fresh(inbox, window, list(shown)),
        "most_news": MOST_NEWS,
        "top": inbox.asked.address(),
        "poll": poll_address(inbox, window),
        "counts_changed": http.GET.get("counts") != inbox.counted,
        "tabs": inbox.tabs,
        "waiting_for_you": inbox.counts["mine"],
        "oob": True,
    }
    return render(http, "approvals/_inbox_live.html", context)


def poll_address(inbox: Inbox, window: Window) -> str:
    pairs = {"start": window.start, "end": window.end, "seen": window.version, "counts": inbox.counted}
    return inbox.asked.address(**pairs)


def seen_now(shown: Sequence[uuid.UUID]) -> str:
    """Another one once something about these requests, or about those that wait, is another."""
    columns = ("pk", "state", "revision", "stage", "expires_at", "escalated_at", "impact__state", "impact__measured_at")
    reviews = Count("reviews", distinct=True)
    rows = list(Request.objects.filter(pk__in=shown).annotate(n=reviews).order_by("pk").values_list(*columns, "n"))
    pending = Request.objects.filter(state=State.PENDING)
    waiting = pending.aggregate(Count("pk"), Max("created_at"), Min("expires_at"))
    told = repr((rows, sorted(waiting.items()), int(time.time()) // AGAIN_SECONDS))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _fresh(inbox: Inbox, window: Window, shown: Sequence[uuid.UUID]) -> int:
    """How many that the page does not show would be between its rows by now."""
    listed = inbox.listed().filter(within(ORDERS[inbox.asked.sort], window.start, window.end)).exclude(pk__in=shown)
    return listed.order_by()[: MOST_NEWS + 1].count()


def _shown(http: HttpRequest) -> dict[uuid.UUID, str]:
    """The rows that the page has, and what they looked like."""
    shown: dict[uuid.UUID, str] = {}
    for given in http.GET.getlist("row")[:MOST_ROWS]:
        pk, _, version = given.partition(":")
        try:
            shown[uuid.UUID(pk)] = version
        except ValueError:
            continue
    return shown
