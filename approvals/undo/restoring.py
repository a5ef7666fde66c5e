"""The statement that takes a change back, from the rows as they were before and after. Pure.

One statement whatever the number of rows: they come as one array of texts a column, each cast to the column's own type, so
that PostgreSQL reads each value the way it wrote it. (unnest of a type's own arrays would lay arrays flat and take composite
values apart.) A row is written only where it is still, byte for byte, as the change left it;
how many were is the number of rows that the statement changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from approvals.undo.values import Image, Row, Verb
from governance.masking.types import quote_name

TARGET, GIVEN = "target", "given"


@dataclass(frozen=True, slots=True)
class Kept:
    """Whose rows they are. `columns` are names and types, `format_type()`'s; `only`: it has no partitions."""

    schema: str
    relation: str
    only: bool
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"{'ONLY ' if self.only else ''}{quote_name(self.schema)}.{quote_name(self.relation)}"

    def place(self, column: str) -> int:
        return [name for name, _ in self.columns].index(column)


@dataclass(frozen=True, slots=True)
class Restoring:
    """`rows`: how many it changes if all of them are still as the change left them."""

    sql: str
    params: list[list[str | None]]
    rows: int


def restoring(kept: Kept, images: Iterable[Image]) -> Restoring:
    """Rows that the change wrote as they were already are left alone."""
    changed = [image for image in images if image[0] != image[1]]
    verbs = {verb_of(image) for image in changed}
    verb = verbs.pop() if len(verbs) == 1 else Verb.MERGE
    given = _Given(kept)
    sql = _FORMS[verb](kept, given, changed)
    return Restoring(sql, given.params, len(changed))


def verb_of(image: Image) -> Verb:
    """What the change did to the row."""
    before, after = image
    if before is None:
        return Verb.INSERT
    return Verb.DELETE if after is None else Verb.UPDATE


def still_there(kept: Kept, images: Iterable[Image]) -> Restoring:
    """A query for the places, from 1 on, of those images whose rows are still as the change left them."""
    changed, given = list(images), _Given(kept)
    place = given.add("place", "bigint", [str(place) for place in range(1, len(changed) + 1)])
    keys = _keys(kept, given, [after or before for before, after in changed])
    gone = given.add("gone", "boolean", ["t" if after is None else "f" for _, after in changed])
    same = _same(kept, given, [after for _, after in changed])
    sql = (
        f"SELECT {place} FROM {given.source} LEFT JOIN {kept.name} AS {TARGET} ON {keys}"
        f" WHERE CASE WHEN {gone} THEN {TARGET}.{quote_name(kept.key[0])} IS NULL ELSE {same} END"
    )
    return Restoring(sql, given.params, len(changed))


# --- What is given ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Given:
    """The rows of parameters: one array for each column."""

    kept: Kept
    names: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    params: list[list[str | None]] = field(default_factory=list)

    def add(self, name: str, of_type: str, values: list[str | None] | list[str]) -> str:
        """The expression that stands for the column, in its type."""
        self.params.append(list(values))
        self.names.append(name)
        self.calls.append(f"pg_catalog.unnest(${len(self.params)}::text[])")
        return f"CAST({GIVEN}.{name} AS {of_type})"

    def add_column(self, sort: str, place: int, rows: list[Row | None]) -> str:
        return self.add(
            f"{sort}{place + 1}", self.kept.columns[place][1], [None if row is None else row[place] for row in rows]
        )

    @property
    def source(self) -> str:
        calls = ",\n    ".join(self.calls)
        return f"ROWS FROM (\n    {calls}\n  ) AS {GIVEN}({', '.join(self.names)})"


def _keys(kept: Kept, given: _Given, rows: list[Row | None]) -> str:
    found = []
    for number, column in enumerate(kept.key, 1):
        place = kept.place(column)
        values = [None if row is None else row[place] for row in rows]
        value = given.add(f"key{number}", kept.columns[place][1], values)
        found.append(f"{TARGET}.{quote_name(column)} = {value}")
    return "\n  AND ".join(found)


def _same(kept: Kept, given: _Given, after: list[Row | None]) -> str:
    """Whole rows as PostgreSQL writes them: what is equal and yet another value (1.0 and 1.00, 0 and -0) is told apart, and
    types without an equality can be compared."""
    own = ", ".join(f"{TARGET}.{quote_name(name)}" for name, _ in kept.columns)
    theirs = ", ".join(given.add_column("after", place, after) for place in range(len(kept.columns)))
    return f"CAST(ROW({own}) AS text)\n    = CAST(ROW({theirs}) AS text)"


def _changed_columns(kept: Kept, images: list[Image]) -> list[int]:
    both = [(before, after) for before, after in images if before is not None and after is not None]
    return [place for place in range(len(kept.columns)) if any(before[place] != after[place] for before, after in both)]


# --- The forms ----------------------------------------------------------------------------------------------------


def _delete(kept: Kept, given: _Given, images: list[Image]) -> str:
    after = [after for _, after in images]
    where = f"{_keys(kept, given, after)}\n  AND {_same(kept, given, after)}"
    return f"DELETE FROM {kept.name} AS {TARGET}\nUSING {given.source}\nWHERE {where}"


def _update(kept: Kept, given: _Given, images: list[Image]) -> str:
    after = [after for _, after in images]
    where = f"{_keys(kept, given, after)}\n  AND {_same(kept, given, after)}"
    changes = _set(kept, given, images)
    return f"UPDATE {kept.name} AS {TARGET}\nSET {changes}\nFROM {given.source}\nWHERE {where}"


def _set(kept: Kept, given: _Given, images: list[Image]) -> str:
    before = [before for before, _ in images]
    return ",\n    ".join(
        f"{quote_name(kept.columns[place][0])} = {given.add_column('before', place, before)}"
        for place in _changed_columns(kept, images)
    )


def _insert(kept: Kept, given: _Given, images: list[Image]) -> str:
    """A row whose key was taken by another since is left out, and then counts as changed."""
    before = [before for before, _ in images]
    values = ", ".join(given.add_column("before", place, before) for place in range(len(kept.columns)))
    return (
        f"INSERT INTO {kept.name.removeprefix('ONLY ')} ({_listed(kept)})\n  OVERRIDING SYSTEM VALUE"
        f"\nSELECT {values}\nFROM {given.source}\nON CONFLICT ({', '.join(map(quote_name, kept.key))}) DO NOTHING"
    )


def _listed(kept: Kept) -> str:
    return ", ".join(quote_name(name) for name, _ in kept.columns)


def _merge(kept: Kept, given: _Given, images: list[Image]) -> str:
    """What was inserted goes, what was updated goes back, what was deleted comes again."""
    before, after = [before for before, _ in images], [after for _, after in images]
    given.add("was", "text", [verb_of(image).value for image in images])
    keys = _keys(kept, given, [mine or theirs for theirs, mine in images])
    same = _same(kept, given, after)
    values = [given.add_column("before", place, before) for place in range(len(kept.columns))]
    updates = ",\n    ".join(
        f"{quote_name(kept.columns[place][0])} = {values[place]}" for place in _changed_columns(kept, images)
    )
    went = {verb: f"{GIVEN}.was = '{verb.value}'" for verb in (Verb.INSERT, Verb.UPDATE, Verb.DELETE)}
    return (
        f"MERGE INTO {kept.name} AS {TARGET}\nUSING {given.source}"
        f"\nON {keys}\n  AND ({went[Verb.DELETE]} OR {same})"
        f"\nWHEN MATCHED AND {went[Verb.INSERT]} THEN DELETE"
        + (f"\nWHEN MATCHED AND {went[Verb.UPDATE]} THEN UPDATE SET {updates}" if updates else "")
        + f"\nWHEN NOT MATCHED AND {went[Verb.DELETE]} THEN INSERT ({_listed(kept)}) OVERRIDING SYSTEM VALUE"
        f"\n  VALUES ({', '.join(values)})"
    )


_FORMS: dict[Verb, Any] = {Verb.INSERT: _delete, Verb.UPDATE: _update, Verb.DELETE: _insert, Verb.MERGE: _merge}
