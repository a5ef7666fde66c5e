"""The dashboard: what happens, what waits, what was decided."""

from __future__ import annotations

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
from gateway.web.viewer import viewer

KEPT = 100
MOST_WAITING = 8


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
    person, now = viewer(http), timezone.now()
    entries = search.find_entries(search.EntryFilter(), limit=KEPT).entries
    mine = list(services.list_requests_for(person, "mine").order_by("expires_at", "id")[:MOST_WAITING])
    others = services.list_requests_for(person, "waiting").exclude(pk__in=[r.pk for r in mine])
    context = {
        "entries": [search.entry_json(entry) for entry in entries],
        "last": entries[0].index if entries else -1,
        "kept": KEPT,
        "mine": mine,
        "others": others.order_by("expires_at", "id")[: MOST_WAITING - len(mine)],
        "day": verdict_chart(search.verdict_counts(now - timedelta(hours=24), now, 1), timedelta(hours=24)),
        "head": search.current_head(),
        **_chart(http.GET.get("span", ""), now),
    }
    return render(http, "web/dashboard.html", context)


def _chart(asked: str, now: datetime) -> dict[str, object]:
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
