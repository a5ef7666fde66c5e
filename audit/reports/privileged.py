"""Privileged and break-glass activity: what defines, grants or administers, who may act, and what touches the record itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from audit.events import KINDS
from audit.reports import sources
from audit.reports.model import Cell, Column, Figure, Figures, Plot, Section, Series, Table, Text, Tone
from audit.reports.periods import place_of, step_word
from audit.reports.scope import Scope
from audit.reports.wording import listed, name_of, number_or_no, owned, plural

TITLE = "Privileged activity"
QUESTION = "Who defined, granted or administered, changed who may act, or reached behind the glass?"
MOST_ROWS = 5_000
STATEMENTS = ("statement.intent", "statement.parked", "statement.denied")
# Each kind of administration with the heading that it is counted under.
GLASS = {
    "payload.read", "subject.erased", "key.rotated", "archive.requested", "ledger.pruned", "witness.added", "witness.changed",
    "witness.removed", "forwarder.added", "forwarder.changed", "forwarder.removed", "export.requested",
    "export.refused", "export.downloaded",
}  # fmt: skip
RULES = {
    "policy.activated", "policy.proposed", "policy.reviewed", "policy.rejected", "policy.closed",
    "classification.changed", "classification.rejected", "datasource.added", "datasource.changed",
    "datasource.removed",
}  # fmt: skip
ACTORS = ("agent.", "user.", "group.", "credential.", "password.", "administrator.")
# Standing permissions and emergencies; each use of one is a statement, and no change.
STANDING = {"grant.given", "grant.narrowed", "grant.revoked", "grant.refused", "glass.broken", "glass.mended"}
SIGNIN = "signin.failed"
OUTCOMES: dict[str, tuple[str, Tone]] = {
    "statement.intent": ("ran", "allow"),
    "statement.parked": ("parked", "review"),
    "statement.denied": ("denied", "deny"),
}


def _kinds() -> dict[str, str]:
    """Every kind of administration that the registry knows, with its heading; new ones of a family come by themselves."""
    found = dict.fromkeys(GLASS & KINDS.keys(), "glass") | dict.fromkeys(RULES & KINDS.keys(), "rules")
    found |= dict.fromkeys(STANDING & KINDS.keys(), "actors")
    return found | {name: "actors" for name in KINDS if name.startswith(ACTORS)}


@dataclass
class Failures:
    """Sign-ins that failed under one name from one address."""

    first: datetime
    last: datetime
    count: int = 0


@dataclass
class Tally:
    """Counts by what; the first rows of each."""

    buckets: dict[str, list[int]]
    counts: Counter[str] = field(default_factory=Counter)
    statements: list[sources.Fields] = field(default_factory=list)
    changes: dict[str, list[sources.Fields]] = field(default_factory=dict)
    failures: dict[tuple[str, str], Failures] = field(default_factory=dict)
    people: Counter[str] = field(default_factory=Counter)

    def count(self, what: str, fields: sources.Fields, scope: Scope) -> None:
        self.counts[what] += 1
        self.buckets[what][place_of(sources.time_of(fields), scope.cut)] += 1


def _read(scope: Scope) -> Tally:
    tally = Tally({what: [0] * len(scope.cut) for what in ("statements", "actors", "rules", "glass", "failures")})
    for fields in sources.privileged(scope, STATEMENTS):
        # The run of an approved statement is the one that was counted when it was parked.
        if fields["kind"] == "statement.intent" and fields.get("request"):
            continue
        tally.count("statements", fields, scope)
        tally.counts[fields["kind"]] += 1
        tally.people[fields.get("principal", "")] += 1
        if len(tally.statements) < MOST_ROWS:
            tally.statements.append(fields)
    headings = _kinds()
    for fields in sources.events(scope, headings):
        what = headings[fields["kind"]]
        tally.count(what, fields, scope)
        rows = tally.changes.setdefault(what, [])
        if len(rows) < MOST_ROWS:
            rows.append(fields)
    for fields in sources.events(scope, [SIGNIN]):
        tally.count("failures", fields, scope)
        _note_failure(tally, fields)
    return tally


def _note_failure(tally: Tally, fields: sources.Fields) -> None:
    """How often, first and last; whoever tries ever new names is counted under one."""
    key = (fields.get("username", ""), fields.get("address", ""))
    if key not in tally.failures and len(tally.failures) >= MOST_ROWS:
        key = ("(other names)", "")
    time = sources.time_of(fields)
    found = tally.failures.setdefault(key, Failures(time, time))
    found.count, found.last = found.count + 1, time


def build(scope: Scope) -> tuple[str, tuple[Section, ...]]:
    tally = _read(scope)
    ran = _ran(scope, tally.statements)
    return _summary(tally), (
        _figures(tally),
        Plot(
            "activity",
            f"Privileged activity, by {step_word(scope.period)}",
            "events",
            tuple(bucket.label for bucket in scope.cut),
            (
                Series("privileged statements", "accent", tuple(tally.buckets["statements"])),
                Series("changes of who may act", "neutral", tuple(tally.buckets["actors"])),
                Series("changes of the rules", "allow", tuple(tally.buckets["rules"])),
                Series("behind the glass", "review", tuple(tally.buckets["glass"])),
                Series("failed sign-ins", "deny", tuple(tally.buckets["failures"])),
            ),
        ),
        _by_principal(tally),
        _statements(tally, ran),
        _changes(
            "glass", "Behind the glass", tally, "Nobody opened payloads, erased, rotated, moved or exported anything."
        ),
        _changes("rules", "Changes of the rules", tally, "Policies, classes and data sources stayed as they were."),
        _changes(
            "actors", "Changes of who may act", tally, "Nobody was added, changed, or given or denied a credential."
        ),
        _failures(tally),
        Text("How this was counted", NOTES, "soft"),
    )


NOTES = (
    "Privileged statements are those whose analysis says that they define (DDL), grant or revoke, or administer; each"
    " counts once, when it was let run, parked or denied.",
    "“Behind the glass” is what reaches past everyday use of the record itself: payloads opened, content erased, the"
    " log's key rotated, entries moved to archives, witnesses and forwarders changed, and everything that was exported.",
    "Changes of who may act count standing permissions too: given, refused, cut down or revoked, and glass broken in an"
    " emergency.",
)


def _summary(tally: Tally) -> str:
    counts = tally.counts
    if not any(counts[what] for what in tally.buckets):
        return "Nothing privileged happened in this period: no such statement, no change of people or rules, no failed sign-in."
    statements = (
        f"{plural(counts['statements'], 'privileged statement')} came in: {counts['statement.intent']} ran at once,"
        f" {counts['statement.parked']} waited for people, {counts['statement.denied']} were denied."
        if counts["statements"]
        else "No privileged statement came in."
    )
    tried = f", under {plural(len(tally.failures), 'combination')} of name and address" if counts["failures"] else ""
    return (
        f"{statements} The rules changed {_times(counts['rules'])}, who may act {_times(counts['actors'])}; the record"
        f" itself was reached behind the glass {_times(counts['glass'])}. There"
        f" {'was' if counts['failures'] == 1 else 'were'} {number_or_no(counts['failures'], 'failed sign-in')}{tried}."
    )


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _figures(tally: Tally) -> Figures:
    counts = tally.counts
    return Figures(
        (
            Figure("privileged statements", counts["statements"]),
            Figure("of these denied", counts["statement.denied"], tone="deny" if counts["statement.denied"] else ""),
            Figure("changes of who may act", counts["actors"]),
            Figure("changes of the rules", counts["rules"]),
            Figure("behind the glass", counts["glass"], tone="review" if counts["glass"] else ""),
            Figure("failed sign-ins", counts["failures"], tone="deny" if counts["failures"] else ""),
        )
    )


def _by_principal(tally: Tally) -> Table:
    ordered = sorted(tally.people.items(), key=lambda one: (-one[1], one[0]))
    rows = tuple((Cell(name or None), Cell(count)) for name, count in ordered[:MOST_ROWS])
    columns = (Column("Principal", "principal", 3), Column("Privileged statements", "number"))
    return Table("principals", "Who", columns, rows, len(ordered), "Nobody sent a privileged statement.")


def _ran(scope: Scope, statements: Iterable[sources.Fields]) -> dict[str, list[str]]:
    requests = {fields["request"] for fields in statements if fields.get("request")}
    return sources.reviewers_of(requests, scope.end)


def _statements(tally: Tally, reviewers: dict[str, list[str]]) -> Table:
    rows = []
    for fields in tally.statements:
        word, tone = OUTCOMES[fields["kind"]]
        kinds = sorted(sources.PRIVILEGED.intersection(fields.get("kinds") or ()))
        approved = reviewers.get(fields.get("request", ""), [])
        rows.append(
            (
                Cell(fields["index"]),
                Cell(sources.time_of(fields)),
                Cell(fields.get("principal"), owned(fields.get("principal"), fields.get("owner"))),
                Cell(fields.get("datasource"), fields.get("environment", "")),
                Cell(", ".join(kinds)),
                Cell(listed(fields.get("relations") or (), 3) or None),
                Cell(word, tone=tone),
                Cell(listed(map(name_of, approved)) or None),
            )
        )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Principal", "principal", 1.5),
        Column("Data source", "text", 1.1), Column("Kind", "text", 0.9), Column("Relations", "text", 2),
        Column("Outcome", "mark", 0.9), Column("Approved by", "text", 1.1),
    )  # fmt: skip
    total = tally.counts["statements"]
    return Table("statements", "Privileged statements", columns, tuple(rows), total, "No privileged statement came in.")


def _changes(what: str, title: str, tally: Tally, empty: str) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(fields.get("actor") or fields.get("principal")),
            Cell(KINDS[fields["kind"]].title if fields["kind"] in KINDS else fields["kind"]),
            Cell(about(fields) or None),
        )
        for fields in tally.changes.get(what, ())
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("By", "principal", 1.3),
        Column("What", "text", 2), Column("About", "text", 3.4),
    )  # fmt: skip
    return Table(what, title, columns, rows, tally.counts[what], empty)


def _failures(tally: Tally) -> Table:
    ordered = sorted(tally.failures.items(), key=lambda one: (-one[1].count, one[0]))
    rows = tuple(
        (Cell(username or None), Cell(address or None), Cell(found.count), Cell(found.first), Cell(found.last))
        for (username, address), found in ordered
    )
    columns = (
        Column("Name tried", "text", 2), Column("From", "text", 1.5), Column("Failures", "number"),
        Column("First", "time", 1.8), Column("Last", "time", 1.8),
    )  # fmt: skip
    return Table("failures", "Failed sign-ins", columns, rows, len(ordered), "No sign-in failed.")


# What says best what an entry is about, in this order.
TELLING = (
    "agent", "user", "holder", "prefix", "datasource", "column", "data_class", "previous", "version", "name", "address",
    "subject", "entry", "format", "report", "rows", "payloads", "first", "end", "key", "review", "state", "is_active",
    "groups", "changes", "comment", "reason",
)  # fmt: skip
SAYS = {"data_class": "class", "is_active": "active", "entry": "entry", "previous": "before"}


def about(fields: sources.Fields, longest: int = 240) -> str:
    """`user rita, groups dba and auditors`."""
    parts = [
        f"{SAYS.get(name, name)} {_plain(fields[name])}" for name in TELLING if fields.get(name) not in (None, "", [])
    ]
    text = ", ".join(parts)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return listed(map(str, value))
    if isinstance(value, dict):
        return listed(f"{name} {one}" for name, one in sorted(value.items()))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
