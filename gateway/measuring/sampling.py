"""The statement that shows some of what it changes, masked by the database itself; and its answer as values. Pure.

A write is put into a WITH and returns each row as it was and as it is; the query around it shows a few of them, each classified
column through its mask, and text that nobody classified scrubbed: what comes over the connection is what people may see.
PostgreSQL 18 returns both sides (RETURNING old, new). Before it, a query beside a WITH still sees the table as it was when
the statement began (documentation, 7.8.4): the row before is found there, by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pglast import ast
from pglast.enums import OnConflictAction, ReturningOptionKind

from approvals.impact.content import Cell, SampleRow, Verb
from governance.analysis.analyse import Analysis
from governance.analysis.parse import COMMENTS, SEMICOLON, Parsed, parse
from governance.analysis.reader import Target
from governance.catalogue.model import Column, Relation
from governance.classes import UNCLASSIFIED_TEXT
from governance.masking.masks import masked_value
from governance.masking.plan import Masks
from governance.masking.types import quote_name

WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
# The first server that returns both sides of a row.
BOTH_SIDES = 180_000
MOST_ROWS = 20
MOST_COLUMNS = 60
LONGEST_VALUE = 200
CHANGED, OLD, NEW = '"countersign_changed"', '"countersign_old"', '"countersign_new"'
_PER_COLUMN = 3


@dataclass(frozen=True, slots=True)
class Showing:
    """The target of one statement and how its rows are shown. `sql_for` gives an empty text where there is no such form."""

    relation: Relation
    masks: Masks
    sql_for: Callable[[int], str]

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.relation.columns[:MOST_COLUMNS]


def showing(analysis: Analysis, text: str, masks: Mapping[tuple[str, str], Masks]) -> Showing | None:
    """`text`: the statement as it would run. Raises `MaskingImpossible`."""
    target = next((one for one in analysis.targets if one.node is analysis.parsed.statement), None)
    if target is None or not isinstance(target.node, WRITES):
        return None
    relation, parsed = target.relation, parse(text)
    if (relation.schema, relation.name) not in analysis.catalogue.relations or _writes_in_with(parsed.statement):
        return None
    mine = masks.get((relation.schema, relation.name), {})
    _Form(parsed, target, mine, BOTH_SIDES).sql()  # an impossible mask is found before anything runs
    return Showing(relation, mine, lambda version: _Form(parsed, target, mine, version).sql())


def _writes_in_with(statement: Any) -> bool:
    """PostgreSQL takes a WITH that writes only at the top."""
    clause = getattr(statement, "withClause", None)
    return any(not isinstance(cte.ctequery, ast.SelectStmt) for cte in clause.ctes) if clause else False


@dataclass(frozen=True, slots=True)
class _Form:
    parsed: Parsed
    target: Target
    masks: Masks
    server_version: int

    @property
    def statement(self) -> Any:
        return self.parsed.statement

    def sql(self) -> str:
        sides = self._both() if self.server_version >= BOTH_SIDES else self._one()
        if sides is None:
            return ""
        returned, before, after, source = sides
        listed = ["pg_catalog.count(*) OVER ()", _is_there(before), _is_there(after)]
        for column in self.target.relation.columns[:MOST_COLUMNS]:
            old, new = _field(before, column), _field(after, column)
            listed += [self._shown(column, old), self._shown(column, new), _differs(old, new)]
        clause = ", " if self.statement.returningClause else "\nRETURNING "
        written = f"{self._body()}{clause}{returned}"
        return f"WITH {CHANGED} AS (\n{written}\n)\nSELECT {', '.join(listed)} FROM {source} LIMIT {MOST_ROWS}"

    def _body(self) -> str:
        """Without the semicolon and the comments behind it, which would swallow what follows."""
        skipped = COMMENTS | {SEMICOLON}
        last = next(token for token in reversed(self.parsed.tokens) if token.name not in skipped)
        return self.parsed.sql[: last.end]

    # --- What is returned: (list, the row before, the row after, FROM) ------------------------------------------------

    def _both(self) -> tuple[str, str, str, str] | None:
        clause = self.statement.returningClause
        row = f"{CHANGED}.{OLD}", f"{CHANGED}.{NEW}", CHANGED
        if clause is None:
            named = f"WITH (OLD AS {OLD}, NEW AS {NEW}) {OLD} AS {OLD}, {NEW} AS {NEW}"
            return named, *row
        names = {ReturningOptionKind.RETURNING_OPTION_OLD: "old", ReturningOptionKind.RETURNING_OPTION_NEW: "new"}
        names |= {option.option: str(option.value) for option in clause.options or ()}
        if any(self._means_else(name) for name in names.values()):
            return None
        old, new = (quote_name(names[kind]) for kind in ReturningOptionKind if kind in names)
        return f"{old} AS {OLD}, {new} AS {NEW}", *row

    def _means_else(self, name: str) -> bool:
        return name == self.target.alias or self.target.relation.column(name) is not None

    def _one(self) -> tuple[str, str, str, str] | None:
        alias, statement = self.target.alias, self.statement
        if isinstance(statement, ast.MergeStmt) or self.target.relation.column(alias) is not None:
            return None
        row = f"{CHANGED}.{NEW}"
        returned = f"{quote_name(alias)} AS {NEW}"
        if isinstance(statement, ast.DeleteStmt):
            return returned, row, "", CHANGED
        if isinstance(statement, ast.InsertStmt) and not _updates(statement):
            return returned, "", row, CHANGED
        key = self._unchanged_key()
        if not key:
            return None
        same = " AND ".join(f"{OLD}.{quote_name(name)} = ({row}).{quote_name(name)}" for name in key)
        relation = f"{quote_name(self.target.relation.schema)}.{quote_name(self.target.relation.name)}"
        return returned, OLD, row, f"{CHANGED} LEFT JOIN {relation} AS {OLD} ON {same}"

    def _unchanged_key(self) -> Sequence[str]:
        """A key whose columns the statement does not set: the row has it before and after."""
        clause = getattr(self.statement, "onConflictClause", None)
        listed = clause.targetList if clause else self.statement.targetList
        changed = {str(one.name) for one in listed or ()}
        return next((sorted(key) for key in self.target.relation.keys if changed.isdisjoint(key)), ())

    # --- Columns ------------------------------------------------------------------------------------------------------

    def _shown(self, column: Column, value: str) -> str:
        if not value:
            return "NULL::pg_catalog.text"
        masks = self.masks.get(column.name)
        shown = f"({masked_value(column, masks, value)})" if masks else value
        return f"pg_catalog.left({shown}::pg_catalog.text, {LONGEST_VALUE + 1})"


def _updates(statement: Any) -> bool:
    clause = statement.onConflictClause
    return clause is not None and clause.action == OnConflictAction.ONCONFLICT_UPDATE


def _is_there(row: str) -> str:
    # Unlike IS NOT NULL it asks of the row, not of each of its columns.
    return f"{row} IS DISTINCT FROM NULL" if row else "false"


def _field(row: str, column: Column) -> str:
    return f"({row}).{quote_name(column.name)}" if row else ""


def _differs(old: str, new: str) -> str:
    """By their text: not every type can be compared."""
    return f"{old}::pg_catalog.text IS DISTINCT FROM {new}::pg_catalog.text" if old and new else "true"


# --- The answer -----------------------------------------------------------------------------------------------------


def rows_of(shown: Showing, answer: Sequence[Sequence[Any]]) -> tuple[SampleRow, ...]:
    return tuple(_row(shown, line) for line in answer)


def _row(shown: Showing, line: Sequence[Any]) -> SampleRow:
    _, had, has, *values = line
    verb: Verb = "update" if had and has else "delete" if had else "insert"
    key: frozenset[str] = next(iter(shown.relation.keys), frozenset())
    cells = []
    for number, column in enumerate(shown.columns):
        before, after, differs = values[number * _PER_COLUMN : (number + 1) * _PER_COLUMN]
        changed = verb != "update" or bool(differs)
        masked = any(mask.data_class != UNCLASSIFIED_TEXT for mask in shown.masks.get(column.name, ()))
        cells.append(Cell(column.name, _cut(before), _cut(after), changed, masked, column.name in key))
    return SampleRow(verb, tuple(cells))


def _cut(value: str | None) -> str | None:
    return value if value is None or len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"


def count_of(answer: Sequence[Sequence[Any]]) -> int:
    """How many rows the statement changed, of which the answer holds some."""
    return int(answer[0][0]) if answer else 0
