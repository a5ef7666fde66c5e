"""How far a forwarder is, and what is wrong with it: for pages, REST and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from audit.models import Entry, Forwarder, Head


@dataclass(frozen=True, slots=True)
class Health:
    """`lag` in entries; `oldest`: when the entry happened that comes next, None if none does or it is archived."""

    state: str
    lag: int
    oldest: datetime | None

    @property
    def lag_time(self) -> timedelta | None:
        return None if self.oldest is None else max(timezone.now() - self.oldest, timedelta())


# It looks again every two seconds; what is younger than a few turns is on its way.
ON_ITS_WAY = timedelta(seconds=10)


def health_of(forwarder: Forwarder) -> Health:
    size = Head.objects.values_list("size", flat=True).get(id=1)
    lag = max(size - forwarder.next, 0)
    oldest = Entry.objects.filter(index=forwarder.next).values_list("time", flat=True).first() if lag else None
    return Health(_state(forwarder, lag, oldest), lag, oldest)


def _state(forwarder: Forwarder, lag: int, oldest: datetime | None) -> str:
    if not forwarder.is_active:
        return "paused"
    if forwarder.problem:
        return "failing"
    if not lag or (oldest is not None and timezone.now() - oldest < ON_ITS_WAY):
        return "current"
    return "behind"
