"""The catalogue as values: what analysis and masking know of a data source. Pure.

Names are stored as PostgreSQL stores them (already folded and unquoted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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
    `computed_from` the columns of its relation that it is computed from.
    """

    name: str
    type: str
    base_type: str
    not_null: bool = False
    generated: bool = False
    computed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`on_delete` and `on_update` are `pg_constraint.confdeltype` and `confupdtype`: a no action, r restrict, c cascade,
    n set null, d set default."""

    columns: tuple[str, ...]
    target: RelationName
    target_columns: tuple[str, ...]
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True)
class Relation:
    """`keys`: column sets of valid, immediate, non-partial unique indexes over plain columns, the primary key first.
    `definition`: a view's query with every name schema-qualified. `parents`: what it inherits from or is a partition of.
    `triggers`: names of enabled user triggers. `has_rules`: rewrite rules other than a view's own.
    """

    schema: str
    name: str
    kind: RelationKind
    columns: tuple[Column, ...]
    keys: tuple[frozenset[str], ...] = ()
    definition: str | None = None
    parents: tuple[RelationName, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[str, ...] = ()
    has_rules: bool = False
    row_security: bool = False
    estimated_rows: int = 0
    size_bytes: int = 0

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Function:
    """One overload. `kind` is `pg_proc.prokind`: f function, p procedure, a aggregate, w window function."""

    schema: str
    name: str
    kind: str
    volatility: Volatility
    language: str
    security_definer: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`functions` maps a bare name to all its overloads in all schemas, pg_catalog's included. `types` and `operators`
    hold what users defined (outside pg_catalog and information_schema): `(schema, name)` and bare operator symbols.
    `relations` holds user relations; system ones are known by name in analysis. `search_path` never lists pg_catalog: it
    comes first by itself.
    """

    version: int
    search_path: tuple[str, ...]
    relations: Mapping[RelationName, Relation] = field(default_factory=dict)
    functions: Mapping[str, tuple[Function, ...]] = field(default_factory=dict)
    types: frozenset[RelationName] = frozenset()
    operators: frozenset[str] = frozenset()
    schemas: frozenset[str] = frozenset()

    def resolve(self, schema: str | None, name: str) -> Relation | None:
        """The user relation that PostgreSQL would take for this name, or None. System relations shadow by path order:
        the caller checks pg_catalog first when `schema` is None."""
        if schema is not None:
            return self.relations.get((schema, name))
        for candidate in self.search_path:
            if relation := self.relations.get((candidate, name)):
                return relation
        return None
