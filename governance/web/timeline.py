"""What the pages of requests and of policy proposals share: quorums as seats, and a life as steps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Seats:
    """How far one required group has come. `seats` has one truth value for each person who is needed."""

    group: str
    quorum: int
    given: int

    @property
    def seats(self) -> list[bool]:
        return [number < self.given for number in range(self.quorum)]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline; `icon` and `tone` are names of the design system."""

    title: str
    icon: str
    tone: str = ""
    at: datetime | None = None
    by: str = ""
    text: str = ""


def seats_of(required: Iterable[Mapping[str, Any]], lacking: Mapping[str, int]) -> list[Seats]:
    """`lacking`: how many approvals each group still needs."""
    return [Seats(one["group"], one["quorum"], one["quorum"] - lacking.get(one["group"], 0)) for one in required]
