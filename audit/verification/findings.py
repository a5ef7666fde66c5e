"""What verification is asked, and what it answers. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Entries done so far, and how many there are to do.
Progress = Callable[[int, int], None]


class CannotVerify(Exception):
    """The question cannot be answered: what was given is not right. The message says what, and what to give instead."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A root that somebody kept when the log had `size` entries. `by` says who, for messages."""

    size: int
    root: bytes
    by: str = "that was noted"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong. `last` is set where only a range of entries can be named, `subject` where it is no entry's."""

    index: int
    what: str
    last: int | None = None
    subject: str | None = None

    def __str__(self) -> str:
        place = f"entry {self.index}" if self.last in (None, self.index) else f"entries {self.index} to {self.last}"
        return f"{self.subject or place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """`count` entries from the beginning on were found right, with `root` (hex) as the root of their tree.

    Of entries before `first` and from `end` on, only the hashes that the tree is made of were used. `archived` of the
    entries were checked by their hashes alone, unless the archives were read.
    """

    count: int
    root: str
    fault: Fault | None = None
    first: int = 0
    end: int = 0
    size: int = 0
    archived: int = 0
    checkpoints: int = 0
    signed_by: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        return self.fault is None
