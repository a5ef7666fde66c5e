"""The closed sets of words that policies compare with. A word outside them would turn a policy off in silence, so a
policy set that uses one is refused. Pure."""

from __future__ import annotations

from governance.analysis.facts import Kind, Use
from governance.classes import BUILT_IN

# What analysis warns of, by its stable code.
HAZARDS: dict[str, str] = {
    "always-true-where": "A WHERE that is true for every row.",
    "blocking-lock": "Takes a lock that makes others wait.",
    "cartesian-product": "Joins relations without a condition.",
    "cascade": "Foreign keys carry it on to other relations.",
    "delete-without-where": "A DELETE without a WHERE.",
    "drop": "Drops something.",
    "dynamic-sql": "Calls a function that runs SQL, or reads relations, that it is told by text.",
    "explain": "Shows the plan of a statement, and with it what the planner expects.",
    "explain-masked": "Shows a plan that was chosen by statistics of masked columns.",
    "file-access": "Reads or writes files of the database server.",
    "fires-trigger": "Fires a trigger, whose code runs too.",
    "index-not-concurrent": "Builds an index while writes wait.",
    "opaque-trigger": "Fires a trigger whose code cannot be read before it runs.",
    "privilege-change": "Changes roles or what they may do.",
    "program-execution": "Runs a program on the database server.",
    "reads-sessions": "Calls a function that shows or changes sessions, settings or the server.",
    "reads-statistics": "Calls a function that shows what statistics hold of other people's data.",
    "rename": "Renames something that other statements use.",
    "row-lock": "Locks rows (FOR UPDATE, FOR SHARE).",
    "security-definer": "Calls or fires a function that runs with its owner's rights.",
    "sensitive-in-filter": "A classified column filters, joins, orders or groups what is read.",
    "sensitive-in-write": "A classified column decides what is written, or is written.",
    "session-escape": "Changes or shows what a session must leave alone: its role, settings that governance relies on.",
    "side-effects": "Calls a function that changes something outside the rows that it returns.",
    "table-rewrite": "Rewrites a whole table under a lock.",
    "truncate": "Empties a relation.",
    "unbounded-read": "Reads a relation without a WHERE or a LIMIT.",
    "update-without-where": "An UPDATE without a WHERE.",
}

ENVIRONMENTS = ("dev", "staging", "prod")
DOORS = ("rest", "mcp", "wire", "web")

CONTEXT_WORDS: dict[str, frozenset[str]] = {
    "kinds": frozenset(Kind),
    "uses": frozenset(Use),
    "hazards": frozenset(HAZARDS),
    "environment": frozenset(ENVIRONMENTS),
    "door": frozenset(DOORS),
}
ENTITY_WORDS: dict[str, frozenset[str]] = {"DataClass": frozenset(BUILT_IN)}


def in_words(seconds: int) -> str:
    """A span of time as an annotation would give it: `10 minutes`, `1 hour`, `7 days`."""
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= unit and seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
