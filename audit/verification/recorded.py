"""What the log itself tells of verifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit.search import EntryFilter, entry_json, find_entries
from audit.verification.recording import INTACT

KIND = "ledger.verified"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`size`: how many entries were verified, if the entry says so; `fault`: what was found first."""

    index: int
    time: str
    actor: str
    status: str
    size: int | None
    root: str
    fault: str

    @property
    def is_intact(self) -> bool:
        return self.status == INTACT


def last_recorded() -> Recorded | None:
    """Also from archives. Raises `ArchiveUnavailable` and `SearchTooBroad`."""
    found = find_entries(EntryFilter(kind=KIND), limit=1).entries
    if not found:
        return None
    told: dict[str, Any] = entry_json(found[0])
    return Recorded(
        told["index"],
        told["time"],
        told.get("actor", ""),
        told.get("status", ""),
        told.get("size"),
        told.get("root", ""),
        told.get("fault", ""),
    )
