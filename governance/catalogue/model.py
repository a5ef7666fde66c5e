"""The catalogue as values: what analysis and masking know of a data source. Pure.

Names are stored as PostgreSQL stores them (already folded and unquoted).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

RelationName = tuple[str, str]


class RelationKind(StrEnum):
    """Values are `pg_class.relkind`."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED_VIEW = "m"
    FOREIGN = "f"
    SEQUENCE = "S"


class Volatility(StrEnum):
    """Values are `pg_proc.provolatile`."""

    IMMUTABLE = "i"
    STABLE = "s"
    VOLATILE = "v"


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is `format_type()` text, schema-qualified where the type is not in pg_catalog; `base_type` is the same
    with domains unwrapped (an enum, composite or other user-defined type stays as it is). `generated`: GENERATED ALWAYS AS (…),
    `computed_from` the columns of its relation that it is computed from. `expression`: what DEFAULT or GENERATED computes.
    """

    name: str
    type: str
    base_type: str
    not_null: bool = False
    generated: bool = False
    computed_from: tuple[str, ...] = ()
    expression: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`on_delete` and `on_update` are `pg_constraint.confdeltype` and `confupdtype`: a no action, r restrict, c cascade,
    n set null, d set default."""

    columns: tuple[str, ...]
    target: RelationName
    target_columns: tuple[str, ...]
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True, order=True)
class Trigger:
    """An enabled one of the user's. `timing`: before, after or instead; `events`: of insert, update, delete, truncate;
    `columns`: those of UPDATE OF, empty for all; `definition`: its CREATE TRIGGER, where it has a WHEN.
    """

    name: str
    timing: str
    events: tuple[str, ...]
    per_row: bool
    function: RelationName
    columns: tuple[str, ...] = ()
    definition: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """A rewrite rule other than a view's own. `event`: select, insert, update or delete."""

    name: str
    event: str


@dataclass(frozen=True, slots=True)
class Relation:
    """`keys`: column sets of valid, immediate, non-partial unique indexes over plain columns, the primary key first.
    `definition`: a view's query with every name schema-qualified; `depends_on`: the relations and columns that it uses.
    `parents`: what it inherits from or is a partition of. `indexed`: columns in any key, constraint of keys or index, also
    by an expression or a condition. `checks` and `computed`: conditions of CHECK, expressions of indexes and partition keys.
    `particulars`: a digest of its row policies, the whole of its triggers, its bounds as a partition, collations of columns
    that are not their type's, and options of a view; empty where it has none.
    """

    schema: str
    name: str
    kind: RelationKind
    columns: tuple[Column, ...]
    keys: tuple[frozenset[str], ...] = ()
    definition: str | None = None
    parents: tuple[RelationName, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    rules: tuple[Rule, ...] = ()
    row_security: bool = False
    estimated_rows: int = 0
    size_bytes: int = 0
    depends_on: tuple[tuple[RelationName, tuple[str, ...]], ...] = ()
    indexed: frozenset[str] = frozenset()
    checks: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    particulars: str = ""

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def has_rules(self) -> bool:
        return bool(self.rules)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Function:
    """One overload. `kind` is `pg_proc.prokind`: f function, p procedure, a aggregate, w window function.

    What follows `security_definer` is known of functions outside pg_catalog only. `arguments`: types of what is passed in;
    `modes`: `pg_proc.proargmodes`, empty where all are IN. `body`: the text of one in SQL or PL/pgSQL; `is_bound`: it was
    written as BEGIN ATOMIC or RETURN, and these are its statements with every name qualified. `settings`: its SET clauses,
    `name=value`.
    """

    schema: str
    name: str
    kind: str
    volatility: Volatility
    language: str
    security_definer: bool = False
    arguments: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    result: str = ""
    strict: bool = False
    body: str | None = None
    is_bound: bool = False
    settings: tuple[str, ...] = ()
    extension: str = ""

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Operator:
    """One that a user or an extension defined. `left` is empty for a prefix operator; types as in `Column.type`."""

    schema: str
    name: str
    left: str
    right: str
    function: RelationName


@dataclass(frozen=True, slots=True)
class Cast:
    """One that a user or an extension defined and that calls a function. `context` is `pg_cast.castcontext`: e explicit,
    a assignment, i implicit."""

    source: str
    target: str
    function: RelationName
    context: str


@dataclass(frozen=True, slots=True)
class Type:
    """`kind` is `pg_type.typtype`: b base, c composite, d domain, e enum, r range, m multirange, p pseudo. `base`: what a
    domain, at last, is over; `labels`: an enum's; `attributes`: names and types of one made by CREATE TYPE … AS (…);
    `checks`: conditions that a value of a domain, or of one below it, must hold, and their defaults.
    """

    kind: str
    base: str = ""
    labels: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    checks: tuple[str, ...] = ()


V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`functions` maps a bare name to all its overloads in all schemas, pg_catalog's included. `types`, `operators` (by
    symbol) and `casts` hold what users and extensions defined, outside pg_catalog and information_schema. `relations` holds
    user relations; system ones are known by name in analysis. `search_path` never lists pg_catalog: it comes first by itself.
    """

    version: int
    search_path: tuple[str, ...]
    relations: Mapping[RelationName, Relation] = field(default_factory=dict)
    functions: Mapping[str, tuple[Function, ...]] = field(default_factory=dict)
    types: Mapping[RelationName, Type] = field(default_factory=dict)
    operators: Mapping[str, tuple[Operator, ...]] = field(default_factory=dict)
    schemas: frozenset[str] = frozenset()
    casts: tuple[Cast, ...] = ()
    _worked_out: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def resolve(self, schema: str | None, name: str) -> Relation | None:
        """The user relation that PostgreSQL would take for this name, or None. System relations shadow by path order:
        the caller checks pg_catalog first when `schema` is None."""
        if schema is not None:
            return self.relations.get((schema, name))
        for candidate in self.search_path:
            if relation := self.relations.get((candidate, name)):
                return relation
        return None

    def once(self, key: Hashable, work_out: Callable[[], V]) -> V:
        """What follows from this catalogue alone is worked out once and kept with it. `key` names the work and its input.
        A catalogue that `dataclasses.replace` makes of this one starts afresh."""
        if key not in self._worked_out:
            self._worked_out[key] = work_out()
        found: V = self._worked_out[key]
        return found
