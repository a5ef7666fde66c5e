"""The dashboard: what happens, what waits, what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from approvals import services
from audit import search
from gateway.web.charts import verdict_chart
from identity.viewer import viewer

KEPT = 100
MOST_WAITING = 8
# How a statement can end, as the ledger says it; the feed has a badge ready for each.
ENDS = ("executed", "failed", "cancelled", "unknown", "not_executed")


@dataclass(frozen=True, slots=True)
class Span:
    word: str
    step: timedelta
    step_word: str
    buckets: int


SPANS = {
    "hour": Span("60 minutes", timedelta(minutes=1), "minute", 60),
    "day": Span("24 hours", timedelta(minutes=30), "half hour", 48),
}
AXIS_PARTS = 4


@login_required
@require_GET
def dashboard(http: HttpRequest) -> HttpResponse:
    """The page; or, asked by one of its parts that refreshes itself, only that part."""
    part = PARTS.get(http.headers.get("HX-Target", "")) if http.headers.get("HX-Request") == "true" else None
    if part:
        return render(http, part.template, part.context(http))
    context = {name: value for part in PARTS.values() for name, value in part.context(http).items()}
    return render(http, "web/dashboard.html", context | _feed())


def _feed() -> dict[str, object]:
    entries = search.find_entries(search.EntryFilter(), limit=KEPT).entries
    return {
        "entries": [search.entry_json(entry) for entry in entries],
        "last": entries[0].index if entries else -1,
        "kept": KEPT,
        "ends": ENDS,
        "head": search.current_head(),
    }


def _waiting(http: HttpRequest) -> dict[str, object]:
    """What the inbox says waits for this person, and beside it what waits for others."""
    person = viewer(http)
    waiting = services.list_requests_for(person, "mine")
    mine = list(waiting.order_by("expires_at", "id").defer("sql", "params")[:MOST_WAITING])
    others = services.list_requests_for(person, "waiting").exclude(pk__in=[r.pk for r in mine])
    others = others.order_by("expires_at", "id").defer("sql", "params")
    return {"mine": mine, "others": others[: MOST_WAITING - len(mine)], "waiting_for_you": waiting.count()}


def _numbers(_http: HttpRequest) -> dict[str, object]:
    now, day = timezone.now(), timedelta(hours=24)
    return {"day": verdict_chart(search.verdict_counts(now - day, now, 1), day)}


def _chart(http: HttpRequest) -> dict[str, object]:
    asked, now = http.GET.get("span", ""), timezone.now()
    name = asked if asked in SPANS else "hour"
    span = SPANS[name]
    # Whole steps, so that bars do not wander from one refresh to the next.
    end = datetime.fromtimestamp(
        (now.timestamp() // span.step.total_seconds() + 1) * span.step.total_seconds(), now.tzinfo
    )
    counts = search.verdict_counts(end - span.step * span.buckets, end, span.buckets)
    chart = verdict_chart(counts, span.step)
    return {
        "chart": chart,
        "axis": chart.bars[:: span.buckets // AXIS_PARTS],
        "span": name,
        "span_word": span.word,
        "step_word": span.step_word,
    }


@dataclass(frozen=True, slots=True)
class Part:
    template: str
    context: Callable[[HttpRequest], dict[str, object]]


# By the id of its element, which htmx names when the part asks for itself.
PARTS = {
    "chart": Part("web/_chart.html", _chart),
    "waiting": Part("web/_waiting_card.html", _waiting),
    "numbers": Part("web/_numbers.html", _numbers),
}
