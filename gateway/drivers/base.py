"""What a driver does: run one bounded statement, break it off, and tell what became of a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Source:
    """A data source as a driver needs it. `key` changes with the address or the secret, so pools never outlive either."""

    key: str
    name: str
    dsn: str
    search_path: tuple[str, ...]
    concurrency: int


@dataclass(frozen=True, slots=True)
class Limits:
    max_rows: int
    max_bytes: int
    statement_timeout_ms: int
    lock_timeout_ms: int


@dataclass(frozen=True, slots=True)
class Images:
    """How a step shows the rows that it changes: in its last columns, `before` of them as they were and then `after` of them
    as they become, which are not among what it returns. `first` is a query that runs before it, with parameters of its
    own, and gives the rows as they are. More than `max_rows` or `max_bytes` of them are not kept."""

    before: int
    after: int
    max_rows: int
    max_bytes: int
    first: str = ""
    first_params: tuple[Any, ...] = ()


@dataclass(slots=True)
class Taken:
    """The rows that a step changed, each value as PostgreSQL writes it, None for NULL. `first`: what the query before it
    gave. `too_many`: there were more than the limits allow, and none are here."""

    before: list[list[str | None]] = field(default_factory=list)
    after: list[list[str | None]] = field(default_factory=list)
    first: list[list[str | None]] = field(default_factory=list)
    too_many: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a text, rewritten. `is_copy`: it is a COPY … TO STDOUT, whose lines are its rows. `only_reads`: its
    rows are not counted among those that the text changes. `images`: it shows the rows that it changes."""

    sql: str
    is_copy: bool = False
    only_reads: bool = False
    images: Images | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """A transaction in which all is done but the COMMIT. `changed`: rows, over all of its steps. `taken`: those of a step that
    was to show them. `touched`: rows of all relations, with what triggers, foreign keys and functions changed besides; None
    where that was not counted."""

    transaction_id: str
    changed: int
    taken: Taken | None = None
    touched: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One text to run: its steps one after the other, in one transaction. Only a single step can have parameters.
    `read_only` makes the database enforce what analysis concluded.

    `started` is told how to break it off, before anything is sent; `ended`, that this way must not be used any more: the
    connection may carry somebody else's statement next. `still_wanted` raises `Cancelled` once it was broken off.
    `before_commit` is called once all is done but the COMMIT; if it raises, the transaction is rolled back. `isolated`: on a
    connection of its own. `isolation`: the transaction's level, as SQL names it; empty: the server's.
    `settings` are set for the transaction, by name and value, and are never in a statement's text.
    `outside_transaction`: the one step runs by itself, on a connection of its own; `before_commit` is then called right before
    it is sent, without a transaction id, since nothing can be taken back afterwards.
    """

    steps: tuple[Step, ...]
    params: tuple[Any, ...]
    limits: Limits
    read_only: bool
    started: Callable[[Callable[[], None]], None]
    ended: Callable[[], None]
    still_wanted: Callable[[], None]
    before_commit: Callable[[Ending], None] | None = None
    isolated: bool = False
    isolation: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    outside_transaction: bool = False


@dataclass(frozen=True, slots=True)
class ResultColumn:
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Rows:
    """`rows` hold JSON values; of several steps the last that returns rows gives them, and `step` is its number. `count`:
    rows returned, or rows changed where the text changes any. `taken` is for `before_commit` only."""

    columns: tuple[ResultColumn, ...]
    rows: list[list[Any]]
    count: int
    bytes: int
    truncated: bool
    duration_ms: float
    step: int = 0
    taken: Taken | None = None


class Fate(StrEnum):
    """What became of a transaction."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    IN_PROGRESS = "in progress"
    UNKNOWN = "unknown"


class CommitUnknown(Exception):
    """The connection broke during COMMIT: ask for the transaction's fate. Of what runs outside transactions: while it ran."""


class Driver(Protocol):
    def run(self, source: Source, work: Work) -> Rows:
        """Raises `DriverFailed`, `Cancelled`, `Overloaded`, `DataSourceUnavailable` or `CommitUnknown`."""

    def fate_of(self, source: Source, transaction_id: str) -> Fate:
        """Raises `DataSourceUnavailable`."""

    def sizes_of(self, source: Source, relations: Sequence[tuple[str, str]]) -> dict[str, int]:
        """The planner's estimate of the rows of each relation, by its qualified name; those that cannot be read are left
        out. Raises `DataSourceUnavailable` or `Overloaded`."""

    def role_of(self, source: Source) -> str:
        """The database role that statements run as: part of what an approval is bound to."""

    def close(self) -> None:
        """Closes all pools: for a process that ends, and for tests."""
