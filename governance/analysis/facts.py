"""What a statement does, worked out before it runs. Frozen values; no database, no policy words.

A thing not understood is in `Facts.unknown`, with why; promise P1 (unread is refused) rests on that field alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """All that apply: a CTE can hide a DELETE in a SELECT."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    PRIVILEGE = "privilege"
    SESSION = "session"
    TRANSACTION = "transaction"
    ADMIN = "admin"
    OPAQUE = "opaque"


class Use(StrEnum):
    READ = "read"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"
    LOCK = "lock"
    DEFINE = "define"


WRITING_USES = frozenset({Use.INSERT, Use.UPDATE, Use.DELETE, Use.TRUNCATE})


@dataclass(frozen=True, slots=True, order=True)
class RelationUse:
    schema: str
    name: str
    use: Use

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


class Clause(StrEnum):
    """What a column is read for."""

    OUTPUT = "output"
    FILTER = "filter"
    JOIN = "join"
    ORDER = "order"
    GROUP = "group"
    WRITE = "write"


@dataclass(frozen=True, slots=True, order=True)
class ColumnUse:
    """`column` is `*` where whole rows are read."""

    schema: str
    relation: str
    column: str
    clause: Clause


@dataclass(frozen=True, slots=True, order=True)
class FunctionUse:
    """What the catalogue says of it comes along: `volatility` is a `pg_proc.provolatile`, empty where it is not known."""

    schema: str
    name: str
    volatility: str = ""
    language: str = ""
    security_definer: bool = False


@dataclass(frozen=True, slots=True)
class Hazard:
    """`code` is stable (policies and pages key on it); `place` is a character offset into the statement."""

    code: str
    message: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """`final`: it would break what no approval can take back, so no policy can open it."""

    what: str
    why: str
    place: int | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """`by_key`: every UPDATE and DELETE in it is bounded to a few rows by equality with a primary or unique key (keys.py).
    `rows_inserted`: rows listed in VALUES, or None when a query decides how many. `parameters`: the highest `$n`.
    `statements`: how many the text holds; with several, all else is of all of them together. `outside_transaction`:
    PostgreSQL runs it only outside transactions, so neither can it be rolled back nor can its fate be asked for later.
    `normal` is the text without comments, each constant replaced by `?`: safe to show and to group by.
    """

    kinds: frozenset[Kind]
    fingerprint: str
    normal: str
    relations: tuple[RelationUse, ...] = ()
    columns: tuple[ColumnUse, ...] = ()
    functions: tuple[FunctionUse, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    parameters: int = 0
    by_key: bool = False
    rows_inserted: int | None = 0
    statements: int = 1
    outside_transaction: bool = False

    @property
    def reads_only(self) -> bool:
        """It may run in a READ ONLY transaction. A setting changes nothing that outlasts it."""
        return self.kinds <= {Kind.READ, Kind.SESSION}

    @property
    def read(self) -> tuple[str, ...]:
        return tuple(sorted({r.qualified for r in self.relations if r.use is Use.READ}))

    @property
    def written(self) -> tuple[str, ...]:
        return tuple(sorted({r.qualified for r in self.relations if r.use in WRITING_USES}))

    @property
    def hazard_codes(self) -> frozenset[str]:
        return frozenset(hazard.code for hazard in self.hazards)


@dataclass(frozen=True, slots=True)
class RiskPart:
    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Risk:
    """0 (nothing to see) to 100; the parts say why, in words, and add up to the score before it is capped."""

    score: int
    parts: tuple[RiskPart, ...] = field(default=())
