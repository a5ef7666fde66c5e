"""Changes of policies and classes: who, when, what, reviewed by whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from audit.reports import sources
from audit.reports.model import Cell, Column, Figure, Figures, Plot, Section, Series, Table, Text, Tone
from audit.reports.periods import place_of, step_word
from audit.reports.scope import Scope
from audit.reports.wording import listed, name_of, number_or_no, plural, seconds_between

TITLE = "Policy changes"
QUESTION = "Who changed what policies and classes say, when, and who agreed?"
MOST_ROWS = 5_000
POLICIES = ("policy.activated", "policy.proposed", "policy.reviewed", "policy.rejected", "policy.closed")
CLASSES = ("classification.changed", "classification.rejected")
TONES: dict[str, Tone] = {"activated": "allow", "rejected": "deny", "open": "review"}


@dataclass(slots=True)
class Proposal:
    """One proposed policy set, as far as the entries of the range tell."""

    proposal: str
    index: int
    time: datetime
    author: str = ""
    comment: str = ""
    required: tuple[str, ...] = ()
    reviewers: list[str] = field(default_factory=list)
    end: str = "open"
    decided: datetime | None = None
    is_whole: bool = False


@dataclass
class Tally:
    activated: list[sources.Fields] = field(default_factory=list)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    classes: list[sources.Fields] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def _read(scope: Scope, buckets: dict[str, list[int]]) -> Tally:
    tally = Tally()
    for fields in sources.events(scope, (*POLICIES, *CLASSES)):
        kind, place = fields["kind"], place_of(sources.time_of(fields), scope.cut)
        tally.counts[kind] += 1
        if kind in CLASSES:
            buckets["classes"][place] += kind == "classification.changed"
            if len(tally.classes) < MOST_ROWS:
                tally.classes.append(fields)
            continue
        if kind == "policy.activated":
            buckets["activated"][place] += 1
            if len(tally.activated) < MOST_ROWS:
                tally.activated.append(fields)
        if fields.get("proposal"):
            _take(tally.proposals, fields, sources.time_of(fields))
    return tally


def _take(proposals: dict[str, Proposal], fields: sources.Fields, time: datetime) -> None:
    proposal, kind = fields["proposal"], fields["kind"]
    one = proposals.setdefault(proposal, Proposal(proposal, fields["index"], time))
    if kind == "policy.proposed":
        one.author, one.comment, one.is_whole = fields.get("actor", ""), fields.get("comment", ""), True
        one.required = tuple(fields.get("required") or ())
    elif kind == "policy.reviewed":
        one.reviewers.append(f"{name_of(fields.get('actor'))} ({fields.get('review', 'reviewed')})")
    else:
        one.end = {"policy.activated": "activated", "policy.rejected": "rejected"}.get(kind) or fields.get(
            "state", "closed"
        )
        one.decided = time


def build(scope: Scope) -> tuple[str, tuple[Section, ...]]:
    buckets = {what: [0] * len(scope.cut) for what in ("activated", "classes")}
    tally = _read(scope, buckets)
    return _summary(tally), (
        _figures(tally),
        Plot(
            "changes",
            f"Changes that came into force, by {step_word(scope.period)}",
            "changes",
            tuple(bucket.label for bucket in scope.cut),
            (
                Series("policy sets", "accent", tuple(buckets["activated"])),
                Series("classes of columns", "neutral", tuple(buckets["classes"])),
            ),
        ),
        _versions(tally),
        _proposals(tally),
        _classes(tally),
        Text("How this was counted", NOTES, "soft"),
    )


NOTES = (
    "A policy set is in force as a whole; each version's digest is the SHA-256 of its text, so that a text kept elsewhere"
    " can be compared with it. A version without reviewers was activated by its author alone, because the policies in"
    " force demanded no review of the change.",
)


def _alone(tally: Tally) -> int:
    return sum(1 for fields in tally.activated if not fields.get("reviewers"))


def _summary(tally: Tally) -> str:
    counts = tally.counts
    if not tally.activated and not tally.proposals and not tally.classes:
        return "Neither policies nor classes changed in this period, and nobody proposed to."
    versions = sorted(fields["version"] for fields in tally.activated if isinstance(fields.get("version"), int))
    reach = (
        f" (version {versions[0]})"
        if len(versions) == 1
        else f" (versions {versions[0]} to {versions[-1]})"
        if versions
        else ""
    )
    people = sorted({name_of(fields.get("actor")) for fields in tally.activated})
    by = f" by {listed(people)}" if people else ""
    alone = _alone(tally)
    reviewed = (
        f" {plural(alone, 'of these was', 'of these were')} activated without a review, since none was demanded."
        if alone
        else " Each had been reviewed."
        if tally.activated
        else ""
    )
    ends = Counter(one.end for one in tally.proposals.values())
    return (
        f"{plural(counts['policy.activated'], 'policy set')} came into force{reach}{by}.{reviewed}"
        f" Of {number_or_no(len(tally.proposals), 'proposal')}, {ends['activated']} became active, {ends['rejected']} were"
        f" rejected and {ends['open']} are open at the end of the range. Classes of columns changed in"
        f" {number_or_no(counts['classification.changed'], 'place')}."
    )


def _figures(tally: Tally) -> Figures:
    counts, alone = tally.counts, _alone(tally)
    return Figures(
        (
            Figure("policy sets activated", counts["policy.activated"]),
            Figure("without a review", alone, tone="review" if alone else ""),
            Figure("proposed", counts["policy.proposed"]),
            Figure("proposals rejected", counts["policy.rejected"]),
            Figure("classes changed", counts["classification.changed"]),
        )
    )


def _versions(tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(fields.get("version"), f"after {fields['previous']}" if fields.get("previous") else "the first"),
            Cell(fields.get("actor")),
            Cell(_what(fields), f"SHA-256 {fields['digest'][:16]}…" if fields.get("digest") else ""),
            Cell(
                listed(fields.get("reviewers") or ()) or "not reviewed",
                tone="" if fields.get("reviewers") else "review",
            ),
        )
        for fields in tally.activated
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Version", "number", 0.9),
        Column("By", "principal", 1.2), Column("What changed", "text", 3.4), Column("Reviewed by", "text", 1.3),
    )  # fmt: skip
    total = tally.counts["policy.activated"]
    return Table(
        "versions", "Policy sets that came into force", columns, rows, total, "The policy set stayed as it was."
    )


def _what(fields: sources.Fields) -> str | None:
    """What the entry says changed; the author's comment where it says nothing."""
    changes = fields.get("changes")
    said = listed(map(str, changes), 8) if isinstance(changes, list) else ""
    return ": ".join(filter(None, (fields.get("comment"), said))) or None


def _proposals(tally: Tally) -> Table:
    everything = list(tally.proposals.values())
    rows = tuple(
        (
            Cell(one.index),
            Cell(one.time),
            Cell(one.author or None, "" if one.is_whole else "proposed before the period"),
            Cell(one.comment or None),
            Cell(listed(one.required) or None),
            Cell(listed(one.reviewers) or None),
            Cell(one.end, tone=TONES.get(one.end, "soft")),
            Cell(seconds_between(one.time, one.decided) if one.is_whole else None),
        )
        for one in everything[:MOST_ROWS]
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Proposed", "time", 1.8), Column("By", "principal", 1.2),
        Column("Comment", "text", 2.2), Column("Needed", "text"), Column("Reviewed by", "text", 1.6),
        Column("Outcome", "mark", 1.1), Column("Took", "duration", 0.9),
    )  # fmt: skip
    return Table("proposals", "Proposals", columns, rows, len(everything), "Nobody proposed a policy set.")


def _classes(tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(fields["index"]),
            Cell(sources.time_of(fields)),
            Cell(fields.get("actor")),
            Cell(fields.get("datasource")),
            Cell(fields.get("column") or None),
            Cell(*_change(fields)),
        )
        for fields in tally.classes
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("By", "principal", 1.2),
        Column("Data source", "text", 1.1), Column("Column", "code", 2.6), Column("Change", "text", 1.8),
    )  # fmt: skip
    total = sum(tally.counts[kind] for kind in CLASSES)
    return Table("classes", "Classes of columns", columns, rows, total, "No column's class changed.")


def _change(fields: sources.Fields) -> tuple[str, str, Tone]:
    new, old = fields.get("data_class") or fields.get("class"), fields.get("previous")
    if fields["kind"] == "classification.rejected":
        return f"{new or 'a class'} rejected", "proposed by a scan", "soft"
    if not new:
        return "taken away", f"was {old}" if old else "", "review"
    return str(new), f"was {old}" if old else "", ""
