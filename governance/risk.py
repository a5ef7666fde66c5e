"""The risk of a statement: 0 to 100, with the parts that made it up, in words. Deterministic. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from governance.analysis.facts import Facts, Kind, Risk, RiskPart
from governance.classes import BUILT_IN

KINDS = {
    Kind.WRITE: (15, "it changes data"),
    Kind.DDL: (30, "it changes the schema"),
    Kind.PRIVILEGE: (50, "it changes who may do what"),
    Kind.ADMIN: (50, "it administers the server"),
    Kind.OPAQUE: (60, "it runs code that is not read"),
}
HAZARDS = {
    "drop": (50, "it drops something for good"),
    "truncate": (45, "it empties a relation"),
    "delete-without-where": (40, "it deletes every row"),
    "update-without-where": (35, "it changes every row"),
    "always-true-where": (40, "its WHERE holds for every row"),
    "file-access": (60, "it reaches files of the server"),
    "program-execution": (80, "it runs a program on the server"),
    "dynamic-sql": (40, "it runs SQL from text"),
    "session-escape": (40, "it changes or shows what a session must leave alone"),
    "table-rewrite": (25, "it rewrites a table under a lock"),
    "blocking-lock": (15, "it takes a lock that blocks others"),
    "index-not-concurrent": (15, "it blocks writes while it builds an index"),
    "cascade": (15, "foreign keys carry it on to other tables"),
    "fires-trigger": (10, "it fires triggers"),
    "opaque-trigger": (15, "it fires triggers that cannot be read"),
    "security-definer": (10, "it runs a function with its owner's rights"),
    "sensitive-in-write": (25, "a sensitive column steers a write"),
    "cartesian-product": (10, "it combines relations without a condition"),
    "unbounded-read": (5, "it reads a large relation whole"),
    "row-lock": (5, "it locks rows"),
}
ENVIRONMENTS = {"prod": (10, "it is on production"), "staging": (3, "it is on staging")}
SENSITIVITY = {1: 2, 2: 4, 3: 8}
MANY_ROWS = 10_000


def assess(facts: Facts, environment: str, classes: Iterable[str] = (), estimated_rows: int | None = None) -> Risk:
    """`classes`: the data classes of the columns of the relations that it touches, masked or not."""
    parts = [RiskPart(*KINDS[kind]) for kind in sorted(facts.kinds) if kind in KINDS]
    parts += [RiskPart(*HAZARDS[code]) for code in sorted(facts.hazard_codes) if code in HAZARDS]
    if facts.kinds != {Kind.READ} and environment in ENVIRONMENTS:
        parts.append(RiskPart(*ENVIRONMENTS[environment]))
    if facts.unknown:
        parts.append(RiskPart(40, f"{facts.unknown[0].what} is not understood"))
    if Kind.WRITE in facts.kinds and not facts.by_key:
        parts.append(RiskPart(10, "the rows that it changes are not named by key"))
    if sensitive := sorted(set(classes)):
        points = sum(SENSITIVITY[BUILT_IN[name].sensitivity] if name in BUILT_IN else 4 for name in sensitive)
        parts.append(RiskPart(min(points, 20), f"it touches relations that hold {', '.join(sensitive)}"))
    if estimated_rows is not None and estimated_rows > MANY_ROWS and not facts.reads_only:
        parts.append(RiskPart(10, f"about {estimated_rows:,} rows are concerned"))
    return Risk(min(100, sum(part.points for part in parts)), tuple(parts))
