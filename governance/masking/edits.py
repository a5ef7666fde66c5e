"""Changes to a statement, each as text and as what the text must come to mean; and the proof that both agree. Pure.

A change is spliced into the text at the parser's own place. The new text is parsed again, and its tree must be the old one
with exactly the intended changes. Whatever a splice gets wrong (a syntax nobody thought of) ends as a refusal, not as a leak.
Trees are libpg_query's JSON here: it is made and compared in a tenth of the time of Python objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import orjson
from pglast.parser import ParseError, parse_sql_json

from governance.analysis.analyse import Analysis
from governance.analysis.tree import PLACES
from governance.catalogue.model import Relation, RelationName
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import MaskPlan

Tree = dict[str, Any]
# A node of the old tree, without its places, to what stands in its stead: mostly one node; several in a list.
Become = Callable[[Tree], list[Tree]]
# The type of a node and the byte at which it stands; a statement stands where the relation that it writes does.
Place = tuple[str, int]
WHOLE: Place = ("", -1)

# In JSON a quote inside a value is escaped, so this finds fields only.
_PLACE_FIELDS = "|".join(sorted(PLACES))
_PLACE = re.compile(rf'"(?:{_PLACE_FIELDS})":-?\d+,|,?"(?:{_PLACE_FIELDS})":-?\d+')
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


@dataclass(frozen=True, slots=True)
class Splice:
    """`text` for the characters from `start` to `end` (exclusive); `proof` stands for it where the proof is made."""

    start: int
    end: int
    text: str
    proof: str


@dataclass(frozen=True, slots=True)
class StandIn:
    """A sub-select in brackets, and a short one that takes its place in the proof.

    The grammar is free of context and a bracket ends a token: what holds of a statement with one sub-select in brackets at
    some place holds with any other there. So the long text, read by itself once, need not be read in every statement.
    """

    text: str
    proof: str

    @property
    def tree(self) -> Tree:
        return query_tree(self.proof)


class Edits:
    """What is to be changed in one statement. The splices must not overlap."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._splices: list[Splice] = []
        self._stand_ins: dict[str, StandIn] = {}
        self._becomes: dict[Place, Become] = {}

    def splice(self, start: int, end: int, text: str, proof: str | None = None) -> None:
        self._splices.append(Splice(start, end, text, text if proof is None else proof))

    def stand_in(self, source: str) -> StandIn:
        """Raises `MaskingImpossible` unless `source` is one sub-select in brackets, whole and nothing else."""
        if source not in self._stand_ins:
            check_query(source)
            self._stand_ins[source] = StandIn(source, f"(SELECT {len(self._stand_ins)})")
        return self._stand_ins[source]

    def becomes(self, kind: str, place: int, become: Become) -> None:
        """`place` in characters. Each node can become something else once."""
        key = (kind, len(self.sql[:place].encode()))
        if key in self._becomes:
            raise MaskingImpossible("Two changes of the statement meet in one place.", remedy="Write it more plainly.")
        self._becomes[key] = become

    def whole_becomes(self, become: Become) -> None:
        self._becomes[WHOLE] = become

    def apply(self) -> str:
        """The new text. Raises `MaskingImpossible` unless it means exactly what was intended."""
        if not self._splices and not self._becomes:
            return self.sql
        splices = sorted(self._splices, key=lambda splice: (splice.start, splice.end))
        for before, after in pairwise(splices):
            if after.start < before.end:
                raise MaskingImpossible("Two changes of the statement overlap.", remedy="Write it more plainly.")
        if self._intended() != statement_tree(self._spliced([(one.start, one.end, one.proof) for one in splices])):
            raise MaskingImpossible(
                "The masked statement did not come out as meant.",
                remedy="Write it more plainly: SELECT … FROM … WHERE ….",
            )
        return self._spliced([(one.start, one.end, one.text) for one in splices])

    def _spliced(self, changes: list[tuple[int, int, str]]) -> str:
        pieces, done = [], 0
        for start, end, text in changes:
            pieces += [self.sql[done:start], text]
            done = end
        return "".join([*pieces, self.sql[done:]])

    def place_before(self, place: int) -> int | None:
        """The place in the old text of one in the new, or None where that is inside a change."""
        moved = 0
        for splice in sorted(self._splices, key=lambda splice: (splice.start, splice.end)):
            if place < splice.start + moved:
                break
            if place < splice.start + moved + len(splice.text):
                return None
            moved += len(splice.text) - (splice.end - splice.start)
        return place - moved

    def _intended(self) -> Tree:
        changing = _Changing(dict(self._becomes))
        (tree,) = changing.item(_only_statement(parse_json(self.sql)))
        if WHOLE in changing.left:
            (tree,) = changing.left.pop(WHOLE)(tree)
        if changing.left:
            raise MaskingImpossible("The place of a change in the statement was not found.")
        intended: Tree = tree
        return intended


@dataclass(frozen=True, slots=True, eq=False)
class Rewriting:
    """One statement on its way to its masked form. `rewrite` does the same for the definition of a view in it."""

    analysis: Analysis
    plan: MaskPlan
    edits: Edits
    rewrite: Callable[[Analysis, MaskPlan], str]
    words: frozenset[str]
    used: Mapping[RelationName, frozenset[str]]

    def needs(self, relation: Relation) -> bool:
        return self.plan.needs(self.analysis, relation)

    def used_of(self, relation: Relation) -> frozenset[str] | None:
        """The columns of the relation that the statement names; None where it may mean all of them."""
        if self.has_word("NATURAL"):
            return None
        used = self.used.get((relation.schema, relation.name), frozenset())
        return None if "*" in used else used

    def has_word(self, *names: str) -> bool:
        """Whether the text has one of these tokens at all: the cheap question before going through the tree."""
        return not self.words.isdisjoint(names)


class _Changing:
    """Goes through a tree, drops places and puts in what nodes become; `left` are changes whose node was not met."""

    def __init__(self, left: dict[Place, Become]) -> None:
        self.left = left

    def value(self, value: Any) -> Any:
        if type(value) is list:
            return [part for item in value for part in self.item(item)]
        if type(value) is not dict:
            return value
        changed = self.item(value)
        if len(changed) != 1:
            raise MaskingImpossible("A change of the statement does not fit where it stands.")
        return changed[0]

    def item(self, node: Any) -> list[Any]:
        if type(node) is not dict:
            return [self.value(node)]
        if len(node) == 1:
            ((kind, body),) = node.items()
            if type(body) is dict and kind[0].isupper():
                become = self.left.pop((kind, _place_of(kind, body)), None)
                changed = {kind: self._fields(body)}
                return become(changed) if become else [changed]
        return [self._fields(node)]

    def _fields(self, node: Tree) -> Tree:
        return {
            name: self.value(value) if type(value) in (dict, list) else value
            for name, value in node.items()
            if name not in PLACES
        }


def _place_of(kind: str, body: Tree) -> int:
    if kind in _WRITES:
        body = body.get("relation", {})
    elif kind == "RangeTableSample":
        body = body["relation"].get("RangeVar", {})
    elif kind == "SelectStmt":
        # A query stands where its GROUP BY names its first column: nothing else of one is changed as a whole.
        grouped = body.get("groupClause", ())
        body = next((item["ColumnRef"] for item in grouped if "ColumnRef" in item), {"location": 0} if grouped else {})
    place = body.get("location", -1)
    return place if isinstance(place, int) else -1


def statement_tree(sql: str) -> Tree:
    """Without places. Raises `MaskingImpossible` for anything but one statement."""
    return _only_statement(orjson.loads(_PLACE.sub("", _parsed(sql))))


def parse_json(sql: str) -> Tree:
    tree: Tree = orjson.loads(_parsed(sql))
    return tree


def _parsed(sql: str) -> str:
    try:
        return str(parse_sql_json(sql))
    except ParseError as error:
        raise MaskingImpossible(
            "The statement's form does not let a relation be replaced by its masked rows.",
            remedy="Use a plain SELECT … FROM.",
        ) from error


def _only_statement(parsed: Tree) -> Tree:
    statements = parsed.get("stmts", [])
    if len(statements) != 1:
        raise MaskingImpossible("The masked statement did not stay one statement.")
    tree: Tree = statements[0]["stmt"]
    return tree


@lru_cache(maxsize=8192)
def check_query(source: str) -> None:
    query_tree(source)


@lru_cache(maxsize=1024)
def query_tree(source: str) -> Tree:
    """A sub-select as it stands in FROM, from its text with brackets: `(SELECT …)`."""
    if not (source.startswith("(") and source.endswith(")")):
        raise MaskingImpossible("A sub-select is not in brackets.")
    query = statement_tree(f"SELECT FROM {source} AS x").get("SelectStmt", {})
    items = query.pop("fromClause", [])
    found = items[0].get("RangeSubselect", {}) if len(items) == 1 else {}
    # The alias is there: no comment at the end of the source swallows what follows.
    if query != statement_tree("SELECT")["SelectStmt"] or found.get("alias") != {"aliasname": "x"}:
        raise MaskingImpossible("A sub-select did not come out as one.")
    tree: Tree = found["subquery"]
    return tree


@lru_cache(maxsize=1024)
def expression_tree(sql: str) -> Tree:
    tree: Tree = statement_tree(f"SELECT {sql}")["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    return tree
