"""Which entries a period is about, and the checkpoint that covers them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.intents import catch_up_to_the_end
from audit.models import Archive, Checkpoint, Head, SearchEntry
from audit.reading import entry_at
from audit.reports.model import Basis, Period
from audit.reports.periods import Bucket, buckets
from audit.transparency import checkpoints


@dataclass(frozen=True, slots=True)
class Scope:
    """Entries `first` to before `end`; those below `live` are in archives. `cut` are the plot's stretches of time."""

    period: Period
    first: int
    end: int
    live: int
    cut: tuple[Bucket, ...]

    @property
    def search(self) -> tuple[tuple[str, str], ...]:
        """What narrows the ledger's search to this period."""
        return tuple(
            (name, f"{moment:%Y-%m-%dT%H:%M:%S}")
            for name, moment in (("since", self.period.since), ("until", self.period.until))
        )


def scope_of(period: Period, end: int | None = None) -> Scope:
    """`end` bounds the range further: with the one that a report prints, the same report comes out again."""
    head = Head.objects.get(id=1)
    size = head.size if end is None else max(0, min(end, head.size))
    catch_up_to_the_end()
    last = min(size, index_at(period.until, size))
    return Scope(period, min(last, index_at(period.since, size)), last, head.first, buckets(period))


def index_at(moment: datetime, size: int) -> int:
    """The first entry of this time or later; time in the log never goes back."""
    archive = Archive.objects.filter(until__gte=moment).order_by("first").first()
    if archive is not None:
        return archive.first if archive.since >= moment else _within(archive, moment)
    found = SearchEntry.objects.filter(time__gte=moment).order_by("time", "index").values_list("index", flat=True)
    index = found.first()
    return size if index is None else index


def _within(archive: Archive, moment: datetime) -> int:
    """By halves: each step reads one entry of the file."""
    low, high = archive.first, archive.end - 1
    while low < high:
        middle = (low + high) // 2
        found = entry_at(middle)
        low, high = (middle + 1, high) if found is not None and found.time < moment else (low, middle)
    return low


def basis_of(scope: Scope) -> Basis:
    """The smallest checkpoint that covers the range, so that the same range always has the same; signed now if none does."""
    found = Checkpoint.objects.filter(size__gte=max(1, scope.end)).order_by("size").first()
    if found is None and Head.objects.get(id=1).size:
        found = checkpoints.latest(fresh=True)
    if found is None:
        return Basis(scope.first, scope.end, 0, "")
    root = bytes(found.root).hex()
    return Basis(scope.first, scope.end, found.size, root, found.note, found.time)


def whole_period(since: datetime | None, until: datetime | None, zone: str = "UTC") -> Period:
    """The log's own beginning and end, where a side is open."""
    head = Head.objects.get(id=1)
    first = entry_at(0)
    begun = first.time if first else head.time
    start = begun if since is None else since
    # The end is not included, the newest entry is.
    stop = head.time + timedelta(microseconds=1) if until is None else until
    return Period(start, max(stop, start + timedelta(microseconds=1)), zone)
