"""The ledger about itself: how it grew, who keeps its checkpoints, when it was verified, what was archived and erased."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice, pairwise

from django.db import connection

from audit.intents import OpenIntent, open_intents
from audit.models import Archive
from audit.reports import sources
from audit.reports.model import Cell, Column, Figure, Figures, Plot, Section, Series, Table, Text, Tone
from audit.reports.periods import step_word
from audit.reports.scope import Scope, index_at
from audit.reports.wording import listed, name_of, number_or_no, plural, time_text

TITLE = "Ledger integrity"
QUESTION = "Is the record whole, who can check it, and what left it?"
MOST_ROWS = 5_000
CHECKPOINT, VERIFIED, PRUNED, ERASED = "checkpoint.published", "ledger.verified", "ledger.pruned", "subject.erased"
CARE = ("key.rotated", "witness.added", "witness.changed", "witness.removed")
GOOD = ("intact", "ok", "verified", "right")


@dataclass
class Tally:
    counts: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[sources.Fields]] = field(default_factory=dict)
    witnesses: dict[str, sources.Fields] = field(default_factory=dict)
    verified: sources.Fields | None = None
    pruned: int = 0
    erased: int = 0


def _read(scope: Scope) -> Tally:
    tally = Tally()
    for fields in sources.events(scope, (CHECKPOINT, VERIFIED, PRUNED, ERASED, *CARE)):
        kind = fields["kind"]
        tally.counts[kind] += 1
        rows = tally.rows.setdefault("care" if kind in CARE else kind, [])
        if len(rows) < MOST_ROWS:
            rows.append(fields)
        if kind == CHECKPOINT:
            tally.witnesses |= dict.fromkeys(fields.get("witnesses") or (), fields)
        elif kind == VERIFIED:
            tally.verified = fields
        elif kind == PRUNED:
            tally.pruned += fields["end"] - fields["first"]
        elif kind == ERASED:
            tally.erased += fields.get("payloads") or 0
    return tally


@dataclass(frozen=True, slots=True)
class Wholeness:
    """`missing`: indexes of the range that are neither in the database nor in an archive that it knows."""

    missing: int
    open: int
    intents: tuple[OpenIntent, ...]


def _wholeness(scope: Scope) -> Wholeness:
    live_from = max(scope.first, scope.live)
    with connection.cursor() as cursor:
        cursor.execute('SELECT count(*) FROM audit_entry WHERE "index" >= %s AND "index" < %s', [live_from, scope.end])
        (live,) = cursor.fetchone()
    wanted = max(0, min(scope.end, scope.live) - scope.first)
    archived = sum(
        max(0, min(archive.end, scope.end, scope.live) - max(archive.first, scope.first))
        for archive in Archive.objects.filter(end__gt=scope.first, first__lt=scope.end)
    )
    found = open_intents(scope.first, scope.end, until=scope.end)
    listed_first = tuple(islice(found, MOST_ROWS))
    left = sum(1 for _more in found)
    missing = max(0, scope.end - live_from) - live + max(0, wanted - archived)
    return Wholeness(missing, len(listed_first) + left, listed_first)


def build(scope: Scope) -> tuple[str, tuple[Section, ...]]:
    tally, whole = _read(scope), _wholeness(scope)
    growth = _growth(scope)
    sections: tuple[Section, ...] = (
        _figures(scope, tally, whole),
        Plot(
            "growth",
            f"Entries written, by {step_word(scope.period)}",
            "entries",
            tuple(bucket.label for bucket in scope.cut),
            (Series("entries", "accent", growth),),
        ),
        _checkpoints(tally),
        _witnesses(tally),
        _verifications(tally),
        _open(whole),
        _archives(tally),
        _erasures(tally),
        _care(tally),
        Text("What this proves, and what it does not", NOTES, "soft"),
    )
    if whole.missing:
        sections = (Text("Entries are missing", (_missing_text(whole),), "deny"), *sections)
    return _summary(scope, tally, whole), sections


NOTES = (
    "The count above compares indexes with what is stored. It is not a verification: “manage.py ledger verify” computes"
    " every leaf and the tree again, and the stand-alone verifier does so on a machine that does not trust this one.",
    "Signatures and the tree show that history agrees with every checkpoint that somebody kept. Without a checkpoint held"
    " elsewhere, a tail that was cut off together with its checkpoints, or a log that was rewritten with a stolen key,"
    " cannot be found. The record cannot show what went round the gateway.",
)


def _growth(scope: Scope) -> tuple[int, ...]:
    """Indexes are dense and times never go back, so two look-ups tell what a stretch of time holds."""
    starts = [min(scope.end, max(scope.first, index_at(bucket.start, scope.end))) for bucket in scope.cut]
    return tuple(after - before for before, after in pairwise([*starts, scope.end]))


def _missing_text(whole: Wholeness) -> str:
    return (
        f"{plural(whole.missing, 'index', 'indexes')} of the range {'has' if whole.missing == 1 else 'have'} no entry, here"
        " or in a known archive. Run “manage.py ledger verify”: it names the first that is wrong."
    )


def _verified_text(scope: Scope, tally: Tally) -> str:
    found = tally.verified
    if found is None:
        return "It was not verified in this period."
    when = time_text(sources.time_of(found), scope.period.zone, seconds=False)
    if _is_good(found):
        return f"It was last verified on {when}, {found.get('size', 0):,} entries, and found intact."
    return f"The verification on {when} found a FAULT: {found.get('fault') or found.get('status')}."


def _is_good(fields: sources.Fields) -> bool:
    return not fields.get("fault") and str(fields.get("status", "")).lower() in GOOD


def _summary(scope: Scope, tally: Tally, whole: Wholeness) -> str:
    count = scope.end - scope.first
    if not count:
        return "Nothing was written to the ledger in this period."
    there = (
        "all of them are there"
        if not whole.missing
        else f"{plural(whole.missing, 'of them is', 'of them are')} MISSING"
    )
    kept = (
        f"checkpoints were given to {listed(sorted(tally.witnesses))} {plural(tally.counts[CHECKPOINT], 'time')}"
        if tally.witnesses
        else "no checkpoint was given to a witness, so nobody outside could notice a rewriting"
    )
    return (
        f"{plural(count, 'entry', 'entries')} were written, {there}; {kept}. {_verified_text(scope, tally)}"
        f" {number_or_no(whole.open, 'statement').capitalize()} {'is' if whole.open == 1 else 'are'} open at the end of the"
        f" range; {number_or_no(tally.pruned, 'entry', 'entries')} moved to archives and"
        f" {number_or_no(tally.counts[ERASED], 'subject')} {'was' if tally.counts[ERASED] == 1 else 'were'} erased."
    )


def _figures(scope: Scope, tally: Tally, whole: Wholeness) -> Figures:
    days = max(1.0, (scope.period.until - scope.period.since).total_seconds() / 86_400)
    count, verified = scope.end - scope.first, tally.verified
    tone: Tone = "" if verified is None else "allow" if _is_good(verified) else "deny"
    return Figures(
        (
            Figure("entries", count),
            Figure("a day", round(count / days)),
            Figure("missing", whole.missing, tone="deny" if whole.missing else "allow"),
            Figure(
                "checkpoints given away", tally.counts[CHECKPOINT], tone="" if tally.counts[CHECKPOINT] else "review"
            ),
            Figure("last verified", sources.time_of(verified) if verified else "not in the period", "time", tone),
            Figure("open statements", whole.open, tone="review" if whole.open else "allow"),
            Figure("moved to archives", tally.pruned),
            Figure("subjects erased", tally.counts[ERASED]),
        )
    )


# --- Tables -------------------------------------------------------------------------------------------------------


def _checkpoints(tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(fields.get("size")),
            Cell(fields.get("root")),
            Cell(listed(fields.get("witnesses") or ()) or None),
            Cell(listed(fields.get("failed") or ()) or None, tone="deny" if fields.get("failed") else ""),
        )
        for fields in tally.rows.get(CHECKPOINT, ())
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Size", "number", 0.9), Column("Root", "code", 3),
        Column("Taken by", "text", 1.4), Column("Failed at", "text", 1.2),
    )  # fmt: skip
    return Table(
        "checkpoints", "Checkpoints given to witnesses", columns, rows, tally.counts[CHECKPOINT],
        "None. Add a witness, so that somebody else can notice a rewriting.",
    )  # fmt: skip


def _witnesses(tally: Tally) -> Table:
    rows = tuple(
        (Cell(name), Cell(fields.get("size")), Cell(sources.time_of(fields)), Cell(fields["index"]))
        for name, fields in sorted(tally.witnesses.items())
    )
    columns = (
        Column("Witness", "text", 2), Column("Newest size", "number"), Column("Taken", "time", 1.8),
        Column("Entry", "entry", 0.8),
    )  # fmt: skip
    return Table("witnesses", "Witnesses", columns, rows, len(rows), "No witness took a checkpoint in this period.")


def _verifications(tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(str(fields.get("status")), tone="allow" if _is_good(fields) else "deny"),
            Cell(fields.get("size")),
            Cell(fields.get("root")),
            Cell(fields.get("fault") or None, tone="deny"),
        )
        for fields in tally.rows.get(VERIFIED, ())
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Result", "mark"), Column("Size", "number", 0.9),
        Column("Root", "code", 2.6), Column("Fault", "text", 2),
    )  # fmt: skip
    total = tally.counts[VERIFIED]
    return Table(
        "verifications", "Verifications", columns, rows, total, "None was recorded. Run “manage.py ledger verify”."
    )


def _open(whole: Wholeness) -> Table:
    rows = tuple(
        (
            Cell(one.index),
            Cell(one.time),
            Cell(one.principal),
            Cell(one.datasource, one.environment or ""),
            Cell(one.query),
        )
        for one in whole.intents
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Principal", "principal", 1.6),
        Column("Data source", "text", 1.2), Column("Query", "code", 2.6),
    )  # fmt: skip
    return Table(
        "open", "Statements without an end", columns, rows, whole.open,
        "None: for every statement that was let run, the range says what became of it.",
        "What was about to run when the range ends is among these, and is no fault.",
    )  # fmt: skip


def _archives(tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(f"{fields['first']:,} to {fields['end'] - 1:,}"),
            Cell(fields.get("address") or None),
            Cell(fields.get("sha256")),
        )
        for fields in tally.rows.get(PRUNED, ())
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Entries", "text", 1.4),
        Column("Where", "text", 2), Column("SHA-256", "code", 2.6),
    )  # fmt: skip
    return Table(
        "archives", "Moved to archives", columns, rows, tally.counts[PRUNED], "Nothing was moved to an archive."
    )


def _erasures(tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(name_of(fields.get("subject")) if fields.get("subject") else None),
            Cell(fields.get("payloads")),
            Cell(fields.get("actor")),
            Cell(fields.get("reason") or None),
        )
        for fields in tally.rows.get(ERASED, ())
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Subject", "text", 1.6),
        Column("Payloads", "number"), Column("By", "principal", 1.3), Column("Reason", "text", 2.4),
    )  # fmt: skip
    return Table("erasures", "Erased content", columns, rows, tally.counts[ERASED], "Nobody's content was erased.")


def _care(tally: Tally) -> Table:
    titles = {"key.rotated": "Key rotated", "witness.added": "Witness added", "witness.changed": "Witness changed"}
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(titles.get(fields["kind"], "Witness removed")),
            Cell(fields.get("actor") or None),
            Cell(fields.get("name") or fields.get("key"), fields.get("reason", "")),
        )
        for fields in tally.rows.get("care", ())
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("What", "text", 1.4),
        Column("By", "principal", 1.4), Column("About", "text", 2.6),
    )  # fmt: skip
    total = sum(tally.counts[kind] for kind in CARE)
    return Table("care", "Keys and witnesses", columns, rows, total, "Keys and witnesses stayed as they were.")
