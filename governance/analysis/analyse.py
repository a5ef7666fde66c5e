"""The entry: text and catalogue in, facts out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pglast import fingerprint

from governance.analysis.calls import judge_attributes
from governance.analysis.columns import Columns, read_columns, read_in_bodies
from governance.analysis.facts import Facts
from governance.analysis.overlay import Changes, Earlier, Filled, after
from governance.analysis.parse import Parsed, parse, parse_script
from governance.analysis.reader import FIRST_OF_ITS_TEXT, Occurrence, Reader, Target
from governance.analysis.script import PLAIN, Frame, check_parameters, combine, unframe
from governance.analysis.utility import read_statement
from governance.analysis.view_text import definition_of
from governance.catalogue.model import Catalogue, Column, Relation, RelationKind, RelationName
from governance.errors import Unreadable

MAX_VIEW_DEPTH = 20


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The facts, and what masking needs to rewrite: the tree, where relations are read, and each view's own analysis.
    `bodies`: of the functions in SQL that it calls, by schema and name, the statements of all overloads. `changes`: what it
    leaves behind for the statements after it in the same text."""

    facts: Facts
    parsed: Parsed
    catalogue: Catalogue
    occurrences: tuple[Occurrence, ...]
    targets: tuple[Target, ...]
    views: Mapping[RelationName, Analysis]
    bodies: Mapping[RelationName, tuple[Analysis, ...]]
    columns: Columns
    changes: Changes


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A text of one or more statements. `facts` are of all of them together, with places in the whole text; they run in one
    transaction, in order. `frame`: what a BEGIN around them, which is not among them, asked of it."""

    sql: str
    facts: Facts
    statements: tuple[Analysis, ...]
    catalogue: Catalogue
    frame: Frame = PLAIN


def analyse_script(sql: str, catalogue: Catalogue) -> Script:
    """Raises `Unreadable` when the text cannot be read at all."""
    try:
        parts, frame = unframe(parse_script(sql))
        statements = tuple(_in_turn(parts, catalogue))
    except RecursionError as error:
        raise _too_deep() from error
    found = [analysis.facts for analysis in statements]
    check_parameters(parts, found)
    if len(parts) == 1 and frame is PLAIN:
        return Script(sql, found[0], statements, catalogue)
    return Script(sql, combine(parts, found, frame, fingerprint(sql)), statements, catalogue, frame)


def analyse(sql: str, catalogue: Catalogue) -> Analysis:
    """Raises `Unreadable` when the text is not one statement; what is readable but not understood is in `facts.unknown`."""
    try:
        return _Analyser(catalogue).analyse(parse(sql))
    except RecursionError as error:
        raise _too_deep() from error


def _too_deep() -> Unreadable:
    return Unreadable("The statement is nested too deeply to be read.", remedy="Simplify it.")


def _in_turn(parts: tuple[Parsed, ...], catalogue: Catalogue) -> Iterator[Analysis]:
    """Each against the catalogue as the ones before it leave it."""
    earlier = FIRST_OF_ITS_TEXT
    for part in parts:
        analysis = _Analyser(catalogue, earlier).analyse(part)
        yield analysis
        if len(parts) > 1:
            for filled in analysis.changes.filled:
                _settle(filled, analysis)
            catalogue, earlier = after(catalogue, earlier, analysis.changes)


def _settle(filled: Filled, analysis: Analysis) -> None:
    """A relation that is made from a query is known once its columns are; where they are not certain, it is not found."""
    outputs = read_columns(filled.query, analysis.occurrences, analysis.targets).outputs
    if any(output.many for output in outputs):
        return
    names = (*filled.aliases, *(output.name for output in outputs[len(filled.aliases) :]))
    columns = tuple(Column(name, "", "") for name in names)
    definition = None
    if filled.kind is RelationKind.VIEW:
        definition = definition_of(analysis.parsed, names if filled.aliases else (), analysis.occurrences)
    analysis.changes.made.append(Relation(filled.schema, filled.name, filled.kind, columns, definition=definition))


class _Analyser:
    """One analysis with the views it meets; a view is read once for each catalogue."""

    def __init__(self, catalogue: Catalogue, earlier: Earlier = FIRST_OF_ITS_TEXT) -> None:
        self.catalogue = catalogue
        self.earlier = earlier
        self.open: list[RelationName] = []

    def analyse(self, parsed: Parsed) -> Analysis:
        return self._freeze(parsed, self._read(parsed, self.earlier))

    def _read(self, parsed: Parsed, earlier: Earlier = FIRST_OF_ITS_TEXT) -> Reader:
        reader = Reader(self.catalogue, read_view=self._view, earlier=earlier)
        read_statement(reader, parsed.statement)
        judge_attributes(reader)
        return reader

    def _view(self, view: Relation) -> Reader:
        return self._known_view(view)[0]

    def _known_view(self, view: Relation) -> tuple[Reader, Analysis | None]:
        name = (view.schema, view.name)
        if name in self.open or len(self.open) >= MAX_VIEW_DEPTH:
            return self._unread(view, "views are nested too deeply"), None
        self.open.append(name)
        try:
            return self.catalogue.once(("view", *name), lambda: self._read_view(view))
        finally:
            self.open.pop()

    def _read_view(self, view: Relation) -> tuple[Reader, Analysis | None]:
        try:
            parsed = parse(view.definition or "")
        except Unreadable as error:
            return self._unread(view, error.message), None
        reader = self._read(parsed)
        return reader, self._freeze(parsed, reader)

    def _unread(self, view: Relation, why: str) -> Reader:
        reader = Reader(self.catalogue, read_view=self._view)
        reader.not_understood(view.qualified, f"its definition cannot be read: {why}")
        return reader

    def _freeze(self, parsed: Parsed, reader: Reader) -> Analysis:
        views = {name: analysis for name in reader.views if (analysis := self._analysis_of(name))}
        bodies = {name: tuple(statements) for name, statements in reader.bodies.items()}
        occurrences, targets = tuple(reader.occurrences), tuple(reader.targets)
        columns = read_columns(parsed.statement, occurrences, targets, reader.defined, read_in_bodies(bodies))
        inner = [*views.values(), *(statement for statements in bodies.values() for statement in statements)]
        facts = Facts(
            kinds=frozenset(reader.kinds),
            fingerprint=parsed.fingerprint,
            normal=parsed.normal,
            relations=tuple(sorted(reader.relations)),
            columns=columns.facts(analysis.facts for analysis in inner),
            functions=tuple(sorted(reader.functions)),
            hazards=tuple(dict.fromkeys(reader.hazards)),
            unknown=tuple(dict.fromkeys(reader.unknown)),
            parameters=reader.parameters,
            by_key=reader.by_key,
            rows_inserted=reader.rows_inserted,
            outside_transaction=reader.outside_transaction,
        )
        changes = reader.changes
        return Analysis(facts, parsed, self.catalogue, occurrences, targets, views, bodies, columns, changes)

    def _analysis_of(self, name: RelationName) -> Analysis | None:
        return self._known_view(self.catalogue.relations[name])[1]
