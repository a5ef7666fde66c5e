"""What another policy set would have decided: recorded statements under both sets, and where they differ. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from governance.policy.decision import Decision
from governance.policy.demands import required_in_words, terms_in_words

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement as the ledger's entry `index` holds it."""

    index: int
    time: datetime
    principal: str
    door: str
    datasource: str
    sql: str
    normal: str
    fingerprint: str
    purpose: str = ""
    on_behalf_of: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What of a decision somebody would notice, and who made it."""

    verdict: str
    required: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    row_filters: tuple[str, ...] = ()
    max_rows: int | None = None
    policies: tuple[str, ...] = field(default=(), compare=False)


def ruling_of(decision: Decision) -> Ruling:
    bound = decision.obligations
    return Ruling(
        verdict=decision.verdict.value,
        required=required_in_words(decision.required),
        terms=terms_in_words(decision.terms) if decision.required else (),
        masks=tuple(f"{_column(m.schema, m.relation, m.column, m.path)}={m.mask}" for m in sorted(bound.masks)),
        row_filters=tuple(f"{one.schema}.{one.relation}: {one.condition}" for one in bound.row_filters),
        max_rows=bound.max_rows,
        policies=decision.policies,
    )


def _column(schema: str, relation: str, column: str, path: str) -> str:
    return f"{schema}.{relation}.{column}:{path}" if path else f"{schema}.{relation}.{column}"


def differences(before: Ruling, after: Ruling) -> tuple[str, ...]:
    """In words, the most telling first; empty where nothing would have been different."""
    return tuple(_differences(before, after))


def _differences(before: Ruling, after: Ruling) -> Iterator[str]:
    if before.verdict != after.verdict:
        yield f"{before.verdict} → {after.verdict}"
    elif before.required != after.required:
        yield f"review by {_listed(before.required)} → by {_listed(after.required)}"
    if "deny" in (before.verdict, after.verdict):
        return
    if before.verdict == after.verdict and before.terms != after.terms:
        yield f"terms: {'; '.join(before.terms) or 'none'} → {'; '.join(after.terms) or 'none'}"
    if hidden := sorted(set(after.masks) - set(before.masks)):
        yield f"masks {_listed(hidden)}"
    if shown := sorted(set(before.masks) - set(after.masks)):
        yield f"no longer masks {_listed(shown)}"
    if added := sorted(set(after.row_filters) - set(before.row_filters)):
        yield f"only rows of {_listed(added)}"
    if lifted := sorted(set(before.row_filters) - set(after.row_filters)):
        yield f"no longer only rows of {_listed(lifted)}"
    if before.max_rows != after.max_rows:
        yield f"at most {before.max_rows or 'all'} → {after.max_rows or 'all'} rows"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


@dataclass(frozen=True, slots=True)
class ReplayedChange:
    """Statements of one fingerprint to which the same thing would have happened. `example` is the newest of them."""

    fingerprint: str
    normal: str
    before: Ruling
    after: Ruling
    what: tuple[str, ...]
    count: int
    example: int
    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreplayed:
    reason: str
    count: int
    example: int


@dataclass(frozen=True, slots=True)
class Replay:
    """`verdicts` counts statements by (before, after). `changes`: the most frequent first."""

    replayed: int
    changed: int
    verdicts: tuple[tuple[str, str, int], ...]
    changes: tuple[ReplayedChange, ...]
    unreplayed: tuple[Unreplayed, ...]
    since: datetime | None = None
    until: datetime | None = None


class Comparison:
    """Takes statements one by one, newest first, and holds no more than what differs."""

    def __init__(self) -> None:
        self._replayed = 0
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._changes: dict[tuple[str, Ruling, Ruling], _Group] = {}
        self._unreplayed: dict[str, tuple[int, int]] = {}
        self._times: tuple[datetime, datetime] | None = None

    def add(self, recorded: Recorded, before: Ruling, after: Ruling) -> None:
        self._replayed += 1
        self._note_time(recorded.time)
        self._verdicts[before.verdict, after.verdict] += 1
        if differences(before, after):
            key = (recorded.fingerprint or recorded.normal, before, after)
            self._changes.setdefault(key, _Group(recorded, before, after)).add(recorded)

    def skip(self, index: int, reason: str) -> None:
        count, example = self._unreplayed.get(reason, (0, index))
        self._unreplayed[reason] = (count + 1, example)

    def _note_time(self, time: datetime) -> None:
        first, last = self._times or (time, time)
        self._times = (min(first, time), max(last, time))

    def result(self) -> Replay:
        changes = sorted((group.change() for group in self._changes.values()), key=lambda one: (-one.count, one.normal))
        since, until = self._times or (None, None)
        return Replay(
            replayed=self._replayed,
            changed=sum(change.count for change in changes),
            verdicts=tuple(sorted((before, after, n) for (before, after), n in self._verdicts.items())),
            changes=tuple(changes),
            unreplayed=tuple(
                Unreplayed(reason, count, example) for reason, (count, example) in sorted(self._unreplayed.items())
            ),
            since=since,
            until=until,
        )


class _Group:
    def __init__(self, example: Recorded, before: Ruling, after: Ruling) -> None:
        self._example = example
        self._before, self._after = before, after
        self._count = 0
        self._principals: dict[str, None] = {}

    def add(self, recorded: Recorded) -> None:
        self._count += 1
        if len(self._principals) < MOST_NAMED:
            self._principals.setdefault(recorded.principal)

    def change(self) -> ReplayedChange:
        return ReplayedChange(
            fingerprint=self._example.fingerprint,
            normal=self._example.normal,
            before=self._before,
            after=self._after,
            what=differences(self._before, self._after),
            count=self._count,
            example=self._example.index,
            principals=tuple(sorted(self._principals)),
        )
