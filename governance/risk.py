"""The risk of a statement: 0 to 100, with the parts that made it up, in words. Deterministic. Pure.

Each part only adds, so nothing that is found in a statement can make it look less risky. docs/policy.md lists the points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from governance.analysis.facts import Facts, Kind, Risk, RiskPart
from governance.classes import BUILT_IN

KINDS = {
    Kind.READ: (0, "it reads"),
    Kind.WRITE: (15, "it changes data"),
    Kind.DDL: (30, "it changes the schema"),
    Kind.PRIVILEGE: (50, "it changes who may do what"),
    Kind.SESSION: (2, "it changes or shows the session"),
    Kind.TRANSACTION: (5, "it steers a transaction"),
    Kind.ADMIN: (50, "it administers the server"),
    Kind.OPAQUE: (60, "it runs code that is not read"),
}
HAZARDS = {
    "always-true-where": (40, "its WHERE holds for every row"),
    "blocking-lock": (15, "it takes a lock that blocks others"),
    "cartesian-product": (10, "it combines relations without a condition"),
    "cascade": (15, "foreign keys carry it on to other tables"),
    "delete-without-where": (40, "it deletes every row"),
    "drop": (50, "it drops something for good"),
    "dynamic-sql": (40, "it runs SQL from text"),
    "explain": (2, "it shows a plan"),
    "explain-masked": (20, "it shows a plan chosen by masked columns"),
    "file-access": (60, "it reaches files of the server"),
    "fires-trigger": (10, "it fires triggers"),
    "index-not-concurrent": (15, "it blocks writes while it builds an index"),
    "opaque-trigger": (15, "it fires triggers that cannot be read"),
    "privilege-change": (20, "it changes roles or their rights"),
    "program-execution": (80, "it runs a program on the server"),
    "reads-sessions": (30, "it looks at sessions or the server"),
    "reads-statistics": (30, "it reads statistics of other people's data"),
    "rename": (15, "it renames what other statements use"),
    "row-lock": (5, "it locks rows"),
    "security-definer": (10, "it runs a function with its owner's rights"),
    "sensitive-in-filter": (3, "a sensitive column decides which rows are read"),
    "sensitive-in-write": (25, "a sensitive column steers a write"),
    "session-escape": (40, "it changes or shows what a session must leave alone"),
    "side-effects": (20, "it calls a function with effects of its own"),
    "table-rewrite": (25, "it rewrites a table under a lock"),
    "truncate": (45, "it empties a relation"),
    "unbounded-read": (5, "it reads a large relation whole"),
    "update-without-where": (35, "it changes every row"),
}
ENVIRONMENTS = {"prod": (10, "it is on production"), "staging": (3, "it is on staging")}
SENSITIVITY = {0: 0, 1: 2, 2: 4, 3: 8}
# For a class that is not built in.
UNKNOWN_SENSITIVITY = 4
MOST_FOR_CLASSES = 20
NOT_UNDERSTOOD = 40
NOT_BY_KEY = 10
MANY_ROWS = (10_000, 10)


def assess(facts: Facts, environment: str, classes: Iterable[str] = (), estimated_rows: int | None = None) -> Risk:
    """`classes`: the data classes of the columns of the relations that it touches, masked or not."""
    parts = [*_of_facts(facts, environment), *_of_classes(classes), *_of_size(facts, estimated_rows)]
    told = tuple(part for part in parts if part.points)
    return Risk(min(100, sum(part.points for part in told)), told)


def _of_facts(facts: Facts, environment: str) -> Iterator[RiskPart]:
    yield from (RiskPart(*KINDS[kind]) for kind in sorted(facts.kinds))
    yield from (RiskPart(*HAZARDS[code]) for code in sorted(facts.hazard_codes) if code in HAZARDS)
    if facts.kinds - {Kind.READ} and environment in ENVIRONMENTS:
        yield RiskPart(*ENVIRONMENTS[environment])
    if facts.unknown:
        yield RiskPart(NOT_UNDERSTOOD, f"{facts.unknown[0].what} is not understood")
    if Kind.WRITE in facts.kinds and not facts.by_key:
        yield RiskPart(NOT_BY_KEY, "the rows that it changes are not named by key")


def _of_classes(classes: Iterable[str]) -> Iterator[RiskPart]:
    sensitive = {name: _sensitivity(name) for name in sorted(set(classes))}
    named = ", ".join(name for name, points in sensitive.items() if points)
    yield RiskPart(min(sum(sensitive.values()), MOST_FOR_CLASSES), f"it touches relations that hold {named}")


def _sensitivity(name: str) -> int:
    return SENSITIVITY[BUILT_IN[name].sensitivity] if name in BUILT_IN else UNKNOWN_SENSITIVITY


def _of_size(facts: Facts, estimated_rows: int | None) -> Iterator[RiskPart]:
    many, points = MANY_ROWS
    if estimated_rows is not None and estimated_rows > many and not facts.reads_only:
        yield RiskPart(points, f"about {estimated_rows:,} rows are concerned")
