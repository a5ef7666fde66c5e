"""How far a forwarder is, and what is wrong with it: for pages, REST and the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from audit.models import Entry, Forwarder, Head
from identity.sealing import UnsealError


@dataclass(frozen=True, slots=True)
class Health:
    """`lag` in entries; `oldest`: when the entry happened that comes next, None if none does or it is archived.
    `config` is None where it does not open; `problem` says so then."""

    state: str
    lag: int
    oldest: datetime | None
    problem: str = ""
    config: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def lag_time(self) -> timedelta | None:
        return None if self.oldest is None else max(timezone.now() - self.oldest, timedelta())


# It looks again every two seconds; what is younger than a few turns is on its way.
ON_ITS_WAY = timedelta(seconds=10)
SECRETS_CLOSED = "its secrets do not open"


def health_of(forwarder: Forwarder) -> Health:
    size = Head.objects.values_list("size", flat=True).get(id=1)
    lag = max(size - forwarder.next, 0)
    oldest = Entry.objects.filter(index=forwarder.next).values_list("time", flat=True).first() if lag else None
    config, problem = _open(forwarder)
    problem = problem or forwarder.problem
    return Health(_state(forwarder, problem, lag, oldest), lag, oldest, problem, config)


def _open(forwarder: Forwarder) -> tuple[dict[str, Any] | None, str]:
    """Where the row was read without it, opening it is what fails, and not the reading of all rows."""
    try:
        return forwarder.config, ""
    except UnsealError as error:
        return None, f"{SECRETS_CLOSED}: {error}"


def _state(forwarder: Forwarder, problem: str, lag: int, oldest: datetime | None) -> str:
    if not forwarder.is_active:
        return "paused"
    if problem:
        return "failing"
    if not lag or (oldest is not None and timezone.now() - oldest < ON_ITS_WAY):
        return "current"
    return "behind"
