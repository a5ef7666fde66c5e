"""What a driver is asked to measure, and what it has seen. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from approvals.impact.content import Lock, Size
from governance.catalogue.model import RelationName


@dataclass(frozen=True, slots=True)
class TrialStep:
    """One statement of a text, as it would run. `showing` makes of it, for a version of the server, the same statement that
    returns how many rows it changed and some of them; None where there is no such form. `is_planned`: EXPLAIN takes it."""

    sql: str
    showing: Callable[[int], str] | None = None
    is_planned: bool = True
    only_reads: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a trial run must keep to. `most_rows`: more are not tried out, by the planner's estimate."""

    timeout_ms: int
    lock_timeout_ms: int
    most_rows: int


@dataclass(frozen=True, slots=True)
class Trial:
    """`relations`: what it writes or defines and is there already. `tries_out`: it runs, and is rolled back, always.
    `started`, `ended` and `still_wanted` are as in `gateway.drivers.base.Work`."""

    steps: tuple[TrialStep, ...]
    params: tuple[Any, ...]
    relations: tuple[RelationName, ...]
    bounds: Bounds
    tries_out: bool
    defines: bool
    started: Callable[[Callable[[], None]], None]
    ended: Callable[[], None]
    still_wanted: Callable[[], None]
    isolation: str = ""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """How the database refused it. `relation` and `constraint` are names that its catalogue has, never text that a function
    made up; empty where it names none. `holders`: other sessions that held locks on what it needs, for a lock time-out."""

    sqlstate: str
    relation: str = ""
    constraint: str = ""
    holders: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What the database counted for one relation while it ran."""

    relation: RelationName
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was rolled back. `samples` has, for each step, the rows that its showing form returned; None: it has none."""

    rows: int
    counted: tuple[Counted, ...]
    locks: tuple[Lock, ...]
    waiting: int
    sequences: tuple[str, ...]
    rewritten: tuple[RelationName, ...]
    samples: tuple[list[list[Any]] | None, ...]
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Seen:
    """`too_large`: why it was not tried out after all. One of `run` and `refused` is set where it was."""

    server_version: int
    sizes: tuple[Size, ...]
    estimated_rows: int | None
    too_large: str = ""
    run: Run | None = None
    refused: Refused | None = None
