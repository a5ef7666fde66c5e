"""A log whose entries have the times that a test chooses: entries as the writer makes them, placed by hand."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

from audit.entries import draft_entry, format_time, place_entry
from audit.merkle import Frontier
from audit.models import Entry, Head

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


class Filling:
    """Collects events with their times and writes them to an empty log in the order of these times."""

    def __init__(self) -> None:
        self.events: list[tuple[datetime, str, dict[str, object]]] = []

    def add(self, time: datetime, kind: str, **fields: object) -> None:
        self.events.append((time, kind, fields))

    def write(self) -> None:
        frontier, entries = Frontier(), []
        for index, (time, kind, fields) in enumerate(sorted(self.events, key=lambda event: event[0])):
            header, leaf = place_entry(draft_entry(kind, fields), index, format_time(time))
            entries.append(Entry(index=index, time=time, kind=kind, header=header, leaf=leaf))
            frontier.append(leaf)
        Entry.objects.bulk_create(entries, batch_size=1000)
        newest = entries[-1].time if entries else SINCE
        Head.objects.filter(id=1).update(size=len(entries), frontier=frontier.to_bytes(), time=newest)


def statement(principal: str = "agent:bot", owner: str = "ada", **fields: object) -> dict[str, object]:
    asked = {"principal": principal, "owner": owner, "datasource": "shop", "environment": "prod"}
    return {**asked, "query": str(uuid.UUID(int=random.getrandbits(128))), "verdict": "allow", **fields}


def request(number: int) -> str:
    return str(uuid.UUID(int=number))


def add_request(
    log: Filling,
    number: int,
    at: datetime,
    *,
    reviewers: tuple[str, ...] = ("rita",),
    verdict: str = "approve",
    after: timedelta = timedelta(minutes=10),
    required: str = "1 of dba",
    principal: str = "agent:bot",
    owner: str = "ada",
    runs: bool = True,
) -> None:
    """A request with its reviews, its decision and its run."""
    asked = {"request": request(number), "principal": principal, "owner": owner, "datasource": "shop"}
    log.add(at, "request.created", **asked, required=[required], relations=["public.orders"])
    for place, name in enumerate(reviewers):
        log.add(
            at + after + timedelta(seconds=place),
            "review.given", **asked, actor=name if ":" in name else f"user:{name}", review=verdict, groups=["dba"],
        )  # fmt: skip
    if not reviewers:
        return
    ended = at + after + timedelta(seconds=len(reviewers))
    log.add(ended, "request.approved" if verdict == "approve" else "request.rejected", **asked)
    if runs and verdict == "approve":
        log.add(ended + timedelta(seconds=2), "execution.started", **asked)
        log.add(ended + timedelta(seconds=3), "execution.finished", **asked, status="executed", rows=3)
