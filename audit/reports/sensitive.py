"""Who touched which class of data, on whose behalf, and approved by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from audit.reports import sources
from audit.reports.model import Cell, Column, Figure, Figures, Plot, Section, Series, Table, Text
from audit.reports.periods import step_word
from audit.reports.scope import Scope
from audit.reports.wording import listed, name_of, number_or_no, owned, plural, share_text

TITLE = "Sensitive data"
QUESTION = "Who touched which class of data, on whose behalf, and who approved it?"
MOST_CLASSES = 7
# Beyond this many different combinations, whoever acts for new people is counted together.
MOST_GROUPS = 50_000
MOST_ROWS = 5_000
OTHERS = "(others)"

Who = tuple[str, str]
K = TypeVar("K")


@dataclass
class Tally:
    """`cells` by who and class, `groups` also by on whose behalf: each [statements, unmasked]."""

    statements: list[int]
    unmasked: list[int]
    cells: dict[tuple[Who, str], list[int]] = field(default_factory=dict)
    groups: dict[tuple[Who, str, str], list[int]] = field(default_factory=dict)
    people: dict[Who, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope) -> Tally:
        tally = cls([0] * len(scope.cut), [0] * len(scope.cut))
        for group in sources.class_groups(scope):
            tally.take(group)
        return tally

    def take(self, group: sources.ClassGroup) -> None:
        who = (group.principal, group.owner)
        if group.data_class is None:
            bucket = min(max(group.bucket, 0), len(self.statements) - 1)
            self.statements[bucket] += group.statements
            self.unmasked[bucket] += group.unmasked
            _add(self.people, who, group)
            return
        _add(self.cells, (who, group.data_class), group)
        key = (who, group.on_behalf_of, group.data_class)
        if key not in self.groups and len(self.groups) >= MOST_GROUPS:
            key = (who, OTHERS, group.data_class)
        _add(self.groups, key, group)

    def classes(self) -> list[tuple[str, int, int]]:
        """Each class with its statements and those unmasked, most touched first."""
        counts: Counter[str] = Counter()
        unmasked: Counter[str] = Counter()
        for (_who, name), (statements, seen) in self.cells.items():
            counts[name] += statements
            unmasked[name] += seen
        return [
            (name, count, unmasked[name]) for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        ]


def _add(counts: dict[K, list[int]], key: K, group: sources.ClassGroup) -> None:
    found = counts.setdefault(key, [0, 0])
    found[0] += group.statements
    found[1] += group.unmasked


@dataclass(frozen=True, slots=True)
class Approved:
    """One approved statement that ran."""

    index: int
    time: str
    principal: str
    owner: str
    on_behalf_of: str
    datasource: str
    classes: tuple[str, ...]
    unmasked: tuple[str, ...]
    request: str
    reviewers: tuple[str, ...]


def build(scope: Scope) -> tuple[str, tuple[Section, ...]]:
    tally = Tally.of(scope)
    approved, approvals = _approved(scope)
    return _summary(tally, approvals), (
        _figures(tally, approvals),
        Plot(
            "statements",
            f"Statements that touched classified columns, by {step_word(scope.period)}",
            "statements",
            tuple(bucket.label for bucket in scope.cut),
            (
                Series(
                    "all classes masked",
                    "accent",
                    tuple(all_ - seen for all_, seen in zip(tally.statements, tally.unmasked, strict=True)),
                ),
                Series("some raw values seen", "review", tuple(tally.unmasked)),
            ),
        ),
        _matrix(scope, tally),
        _classes(scope, tally),
        _details(scope, tally, approved),
        _approvals(approved, approvals),
        Text("How this was counted", NOTES, "soft"),
    )


NOTES = (
    "A statement counts where it was let run, once for each class that its columns have, also where a view, a copy or"
    " a foreign table passes the class on. “Raw” means that the principal was permitted to see the values as they are;"
    " everywhere else the database computed the result from masked values, and the raw ones took no part in it.",
    "What was denied or is still parked touched nothing and is not counted. What went round the gateway is not in the"
    " ledger: the databases themselves must accept nobody else.",
)


def _summary(tally: Tally, approvals: int) -> str:
    statements, seen = sum(tally.statements), sum(tally.unmasked)
    if not statements:
        return "No statement that was let run in this period touched a classified column."
    classes = tally.classes()
    raw = (
        f"In {plural(seen, 'statement')} ({share_text(seen, statements)}) raw values were seen,"
        f" by {listed(_names(who for who, (_all, raw) in tally.people.items() if raw))}."
        if seen
        else "Nobody saw a raw value: every result was computed from masked ones."
    )
    behind = {behalf for _who, behalf, _class in tally.groups if behalf}
    return (
        f"{plural(len(tally.people), 'principal')} ran {plural(statements, 'statement')} that touched"
        f" {plural(len(classes), 'class', 'classes')} of sensitive data,"
        f" most often {listed([name for name, *_ in classes], 3)}."
        f" {raw} {plural(approvals, 'statement').capitalize()} of these ran after people had approved"
        f" {'it' if approvals == 1 else 'them'}; {number_or_no(len(behind), 'further person', 'further people')}"
        f" {'is' if len(behind) == 1 else 'are'} named as whom agents acted for."
    )


def _names(people: Iterable[Who]) -> list[str]:
    return sorted({name_of(principal) for principal, _owner in people})


def _figures(tally: Tally, approvals: int) -> Figures:
    statements, seen = sum(tally.statements), sum(tally.unmasked)
    return Figures(
        (
            Figure("statements", statements),
            Figure("principals", len(tally.people)),
            Figure("data classes", len({name for _who, name in tally.cells})),
            Figure("saw raw values", seen, tone="review" if seen else "allow", note=share_text(seen, statements)),
            Figure("ran with approval", approvals),
        )
    )


def _search(scope: Scope, who: Who, data_class: str = "", behalf: str = "") -> tuple[tuple[str, str], ...]:
    known = {"principal": who[0], "class": data_class, "on_behalf_of": "" if behalf == OTHERS else behalf}
    return (("kind", sources.INTENT), *((name, value) for name, value in known.items() if value), *scope.search)


def _matrix(scope: Scope, tally: Tally) -> Table:
    classes = [name for name, *_ in tally.classes()]
    shown, rest = classes[:MOST_CLASSES], classes[MOST_CLASSES:]
    people = sorted(tally.people, key=lambda who: (-tally.people[who][0], who))
    rows = []
    for who in people[:MOST_ROWS]:
        cells = [_count_cell(tally.cells.get((who, name)), _search(scope, who, name)) for name in shown]
        if rest:
            others = [tally.cells[who, name] for name in rest if (who, name) in tally.cells]
            cells.append(_count_cell([sum(one) for one in zip(*others, strict=True)] if others else None, ()))
        rows.append((Cell(who[0], owned(*who), search=_search(scope, who)), *cells))
    columns = [Column("Principal", "principal", 2.2), *(Column(name.replace("_", " "), "number") for name in shown)]
    return Table(
        "matrix",
        "Principals and classes",
        tuple(columns + ([Column(f"{len(rest)} other", "number")] if rest else [])),
        tuple(rows),
        len(people),
        "Nobody touched classified columns.",
        "Statements by principal and class; how many of them saw raw values stands below the number.",
    )


def _count_cell(counts: list[int] | None, search: tuple[tuple[str, str], ...]) -> Cell:
    if not counts:
        return Cell(None, tone="soft")
    return Cell(counts[0], f"{counts[1]:,} raw" if counts[1] else "", "review" if counts[1] else "", search)


def _classes(scope: Scope, tally: Tally) -> Table:
    rows = tuple(
        (
            Cell(name, search=(("kind", sources.INTENT), ("class", name), *scope.search)),
            Cell(statements),
            Cell(statements - seen),
            Cell(seen, tone="review" if seen else ""),
            Cell(sum(1 for _who, one in tally.cells if one == name)),
        )
        for name, statements, seen in tally.classes()
    )
    columns = (
        Column("Class", "code", 2), Column("Statements", "number"), Column("Masked", "number"), Column("Raw", "number"),
        Column("Principals", "number"),
    )  # fmt: skip
    return Table("classes", "Classes", columns, rows, len(rows), "No class was touched.")


def _details(scope: Scope, tally: Tally, approved: list[Approved]) -> Table:
    """Each combination once, those that saw raw values first."""
    reviewers = _reviewers_by_group(approved)
    ordered = sorted(tally.groups.items(), key=lambda one: (-one[1][1], -one[1][0], one[0]))
    rows = tuple(
        (
            Cell(who[0], owned(*who), search=_search(scope, who, name, behalf)),
            Cell(behalf or None),
            Cell(name),
            Cell(statements),
            Cell(seen, tone="review" if seen else ""),
            Cell(listed(sorted(reviewers.get((who, behalf, name), ()))) or None),
        )
        for (who, behalf, name), (statements, seen) in ordered[:MOST_ROWS]
    )
    columns = (
        Column("Principal", "principal", 2), Column("On behalf of", "text", 1.6), Column("Class", "code", 1.6),
        Column("Statements", "number"), Column("Raw", "number", 0.8), Column("Approved by", "text", 1.6),
    )  # fmt: skip
    note = (
        f"More than {MOST_GROUPS:,} combinations: those found later are counted together as {OTHERS}."
        if len(tally.groups) >= MOST_GROUPS
        else ""
    )
    return Table(
        "details", "Who, for whom, what", columns, rows, len(ordered), "Nobody touched classified columns.", note
    )


def _reviewers_by_group(approved: list[Approved]) -> dict[tuple[Who, str, str], set[str]]:
    found: dict[tuple[Who, str, str], set[str]] = {}
    for one in approved:
        for name in one.classes:
            names = found.setdefault(((one.principal, one.owner), one.on_behalf_of, name), set())
            names.update(map(name_of, one.reviewers))
    return found


# --- What people had approved -------------------------------------------------------------------------------------


def _approved(scope: Scope) -> tuple[list[Approved], int]:
    """The first of them, with those who approved, and how many there are."""
    found: list[sources.Fields] = []
    count = 0
    for fields in sources.approved_with_classes(scope):
        count += 1
        if len(found) < MOST_ROWS:
            found.append(fields)
    reviewers = sources.reviewers_of({fields["request"] for fields in found}, scope.end)
    return [
        Approved(
            fields["index"],
            fields["time"],
            fields.get("principal", ""),
            fields.get("owner", ""),
            fields.get("on_behalf_of", ""),
            fields.get("datasource", ""),
            tuple(fields["classes"]),
            tuple(fields.get("unmasked") or ()),
            fields["request"],
            tuple(reviewers.get(fields["request"], ())),
        )
        for fields in found
    ], count


def _approvals(approved: list[Approved], count: int) -> Table:
    rows = tuple(
        (
            Cell(one.index),
            Cell(sources.moment(one.time)),
            Cell(one.principal, owned(one.principal, one.owner)),
            Cell(one.on_behalf_of or None),
            Cell(", ".join(one.classes), f"raw: {', '.join(one.unmasked)}" if one.unmasked else ""),
            Cell(listed(map(name_of, one.reviewers)) or None, tone="" if one.reviewers else "deny"),
        )
        for one in approved
    )
    columns = (
        Column("Entry", "entry", 0.8), Column("Time", "time", 1.8), Column("Principal", "principal", 1.5),
        Column("On behalf of", "text", 1.3), Column("Classes", "text", 2), Column("Approved by", "text", 1.3),
    )  # fmt: skip
    return Table(
        "approved", "Approved by people", columns, rows, count,
        "No statement that touched classified columns had to be approved.",
    )  # fmt: skip
