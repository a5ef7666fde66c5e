"""The entry: text and catalogue in, facts out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from governance.analysis.calls import judge_attributes
from governance.analysis.columns import NO_COLUMNS, Columns, read_columns
from governance.analysis.facts import Facts, Use
from governance.analysis.parse import Parsed, parse
from governance.analysis.reader import Occurrence, Reader, Target
from governance.analysis.utility import read_statement
from governance.catalogue.model import Catalogue, Relation, RelationName
from governance.errors import Unreadable

MAX_VIEW_DEPTH = 20


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The facts, and what masking needs to rewrite: the tree, where relations are read, and each view's own analysis."""

    facts: Facts
    parsed: Parsed
    catalogue: Catalogue
    occurrences: tuple[Occurrence, ...]
    targets: tuple[Target, ...]
    views: Mapping[RelationName, Analysis]
    # Of functions of the database, by (schema, name): each statement of each readable body.
    bodies: Mapping[tuple[str, str], tuple[Analysis, ...]] = field(default_factory=dict)
    columns: Columns = NO_COLUMNS


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A text of one or more statements. `facts` are of all of them together; they run in one transaction, in order."""

    sql: str
    facts: Facts
    statements: tuple[Analysis, ...]
    catalogue: Catalogue


def analyse_script(sql: str, catalogue: Catalogue) -> Script:
    """Raises `Unreadable` when the text cannot be read at all."""
    only = analyse(sql, catalogue)
    return Script(sql, only.facts, (only,), catalogue)


def analyse(sql: str, catalogue: Catalogue) -> Analysis:
    """Raises `Unreadable` when the text is not one statement; what is readable but not understood is in `facts.unknown`."""
    try:
        return _Analyser(catalogue).analyse(parse(sql), depth=0)
    except RecursionError as error:
        raise Unreadable("The statement is nested too deeply to be read.", remedy="Simplify it.") from error


class _Analyser:
    """One analysis with the views it meets; a view used twice is read once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.views: dict[RelationName, tuple[Reader, Analysis]] = {}

    def analyse(self, parsed: Parsed, depth: int) -> Analysis:
        return self._freeze(parsed, self._read(parsed, depth))

    def _read(self, parsed: Parsed, depth: int) -> Reader:
        reader = Reader(self.catalogue, read_view=lambda view: self._read_view(view, depth + 1))
        read_statement(reader, parsed.statement)
        judge_attributes(reader)
        return reader

    def _read_view(self, view: Relation, depth: int) -> Reader:
        key = (view.schema, view.name)
        if key not in self.views:
            try:
                if depth > MAX_VIEW_DEPTH:
                    raise Unreadable("views are nested too deeply")
                parsed = parse(view.definition or "")
            except Unreadable as error:
                reader = Reader(self.catalogue, read_view=lambda _: reader)
                reader.not_understood(view.qualified, f"its definition cannot be read: {error.message}")
                return reader
            reader = self._read(parsed, depth)
            self.views[key] = reader, self._freeze(parsed, reader)
        return self.views[key][0]

    def _freeze(self, parsed: Parsed, reader: Reader) -> Analysis:
        views = {name: self.views[name][1] for name in reader.views if name in self.views}
        columns = self._columns(parsed, reader)
        facts = Facts(
            kinds=frozenset(reader.kinds),
            fingerprint=parsed.fingerprint,
            normal=parsed.normal,
            relations=tuple(sorted(reader.relations)),
            columns=columns.facts(view.facts for view in views.values()),
            functions=tuple(sorted(reader.functions)),
            hazards=tuple(dict.fromkeys(reader.hazards)),
            unknown=tuple(dict.fromkeys(reader.unknown)),
            parameters=reader.parameters,
            by_key=reader.by_key,
            rows_inserted=reader.rows_inserted,
        )
        occurrences, targets = tuple(reader.occurrences), tuple(reader.targets)
        return Analysis(facts, parsed, self.catalogue, occurrences, targets, views, columns=columns)

    def _columns(self, parsed: Parsed, reader: Reader) -> Columns:
        defined = ((use.schema, use.name) for use in reader.relations if use.use is Use.DEFINE)
        relations = [relation for name in defined if (relation := self.catalogue.relations.get(name))]
        return read_columns(parsed.statement, reader.occurrences, reader.targets, relations)
