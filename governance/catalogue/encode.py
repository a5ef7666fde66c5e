"""The catalogue as JSON and back, and the digest that tells whether it changed. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from governance.catalogue.model import (
    Cast,
    Catalogue,
    Column,
    ForeignKey,
    Function,
    Operator,
    Relation,
    RelationKind,
    RelationName,
    Rule,
    Trigger,
    Type,
    Volatility,
)

# Counted up when what is kept changes. A catalogue of another format says too little to decide by: it is read anew.
FORMAT = 4


def encode(catalogue: Catalogue) -> dict[str, Any]:
    """Positions instead of names where there are thousands: functions, types and columns."""
    return {
        "format": FORMAT,
        "search_path": list(catalogue.search_path),
        "relations": [_encode_relation(relation) for _, relation in sorted(catalogue.relations.items())],
        "functions": {
            name: [_encode_function(function) for function in overloads]
            for name, overloads in sorted(catalogue.functions.items())
        },
        "types": [_encode_type(name, found) for name, found in sorted(catalogue.types.items())],
        "operators": [
            [o.schema, o.name, o.left, o.right, *o.function]
            for _, overloads in sorted(catalogue.operators.items())
            for o in overloads
        ],
        "casts": [[c.source, c.target, *c.function, c.context] for c in catalogue.casts],
        "schemas": sorted(catalogue.schemas),
    }


def is_current(content: dict[str, Any]) -> bool:
    return bool(content.get("format") == FORMAT)


def decode(content: dict[str, Any], version: int) -> Catalogue:
    """Only of the current format."""
    relations = [_decode_relation(found) for found in content["relations"]]
    operators: dict[str, tuple[Operator, ...]] = {}
    for schema, name, left, right, function_schema, function_name in content["operators"]:
        operator = Operator(schema, name, left, right, (function_schema, function_name))
        operators[name] = (*operators.get(name, ()), operator)
    return Catalogue(
        version=version,
        search_path=tuple(content["search_path"]),
        relations={(relation.schema, relation.name): relation for relation in relations},
        functions={
            name: tuple(_decode_function(name, *found) for found in overloads)
            for name, overloads in content["functions"].items()
        },
        types={(schema, name): _decode_type(*found) for schema, name, *found in content["types"]},
        operators=operators,
        casts=tuple(
            Cast(source, target, (schema, name), why) for source, target, schema, name, why in content["casts"]
        ),
        schemas=frozenset(content["schemas"]),
    )


def digest(catalogue: Catalogue) -> str:
    """Of the structure. Of sizes only the magnitude counts: statistics must not make every day a new version."""
    coarse = {
        name: replace(relation, size_bytes=0, estimated_rows=relation.estimated_rows.bit_length())
        for name, relation in catalogue.relations.items()
    }
    content = orjson.dumps(encode(replace(catalogue, relations=coarse)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """Relations by name; `changed` holds those that are in both and differ in structure."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def compare(before: Catalogue | None, after: Catalogue) -> Difference:
    old = before.relations if before else {}
    shared = old.keys() & after.relations.keys()
    return Difference(
        added=_names(after.relations.keys() - old.keys()),
        removed=_names(old.keys() - after.relations.keys()),
        changed=_names({name for name in shared if _structure(old[name]) != _structure(after.relations[name])}),
    )


def _structure(relation: Relation) -> Relation:
    return replace(relation, size_bytes=0, estimated_rows=0)


def _names(names: set[RelationName]) -> tuple[str, ...]:
    return tuple(sorted(f"{schema}.{name}" for schema, name in names))


def _encode_relation(relation: Relation) -> dict[str, Any]:
    return {
        "schema": relation.schema,
        "name": relation.name,
        "kind": relation.kind.value,
        "columns": [
            [c.name, c.type, c.base_type, int(c.not_null), int(c.generated), c.expression, *c.computed_from]
            for c in relation.columns
        ],
        "keys": [sorted(key) for key in relation.keys],
        "definition": relation.definition,
        "parents": [list(parent) for parent in relation.parents],
        "foreign_keys": [
            [list(k.columns), list(k.target), list(k.target_columns), k.on_delete, k.on_update]
            for k in relation.foreign_keys
        ],
        "triggers": [
            [t.name, t.timing, list(t.events), int(t.per_row), list(t.function), list(t.columns), t.definition]
            for t in relation.triggers
        ],
        "rules": [[rule.name, rule.event] for rule in relation.rules],
        "row_security": relation.row_security,
        "estimated_rows": relation.estimated_rows,
        "size_bytes": relation.size_bytes,
        "depends_on": [[list(name), *columns] for name, columns in relation.depends_on],
        "indexed": sorted(relation.indexed),
        "checks": list(relation.checks),
        "computed": list(relation.computed),
        "particulars": relation.particulars,
    }


def _decode_relation(found: dict[str, Any]) -> Relation:
    return Relation(
        schema=found["schema"],
        name=found["name"],
        kind=RelationKind(found["kind"]),
        columns=tuple(
            Column(name, type_, base_type, bool(not_null), bool(generated), tuple(computed_from), expression)
            for name, type_, base_type, not_null, generated, expression, *computed_from in found["columns"]
        ),
        keys=tuple(frozenset(key) for key in found["keys"]),
        definition=found["definition"],
        parents=tuple(_pair(parent) for parent in found["parents"]),
        foreign_keys=tuple(
            ForeignKey(tuple(columns), _pair(target), tuple(target_columns), on_delete, on_update)
            for columns, target, target_columns, on_delete, on_update in found["foreign_keys"]
        ),
        triggers=tuple(
            Trigger(name, timing, tuple(events), bool(per_row), _pair(function), tuple(columns), definition)
            for name, timing, events, per_row, function, columns, definition in found["triggers"]
        ),
        rules=tuple(Rule(name, event) for name, event in found["rules"]),
        row_security=found["row_security"],
        estimated_rows=found["estimated_rows"],
        size_bytes=found["size_bytes"],
        depends_on=tuple((_pair(name), tuple(columns)) for name, *columns in found["depends_on"]),
        indexed=frozenset(found["indexed"]),
        checks=tuple(found["checks"]),
        computed=tuple(found["computed"]),
        particulars=found["particulars"],
    )


def _encode_function(function: Function) -> list[Any]:
    """Nothing more of PostgreSQL's own, which are the most: their details are not read."""
    short = [
        function.schema,
        function.kind,
        function.volatility.value,
        function.language,
        int(function.security_definer),
    ]
    details = [
        list(function.arguments),
        list(function.modes),
        function.result,
        int(function.strict),
        function.body,
        int(function.is_bound),
        list(function.settings),
        function.extension,
    ]
    return [*short, *details] if any(details) else short


VOLATILITIES = {volatility.value: volatility for volatility in Volatility}


def _decode_function(
    name: str, schema: str, kind: str, volatility: str, language: str, definer: int, *details: Any
) -> Function:
    function = Function(schema, name, kind, VOLATILITIES[volatility], language, bool(definer))
    if not details:
        return function
    arguments, modes, result, strict, body, is_bound, settings, extension = details
    return replace(
        function,
        arguments=tuple(arguments),
        modes=tuple(modes),
        result=result,
        strict=bool(strict),
        body=body,
        is_bound=bool(is_bound),
        settings=tuple(settings),
        extension=extension,
    )


def _encode_type(name: RelationName, found: Type) -> list[Any]:
    details = [found.base, list(found.labels), list(map(list, found.attributes)), list(found.checks)]
    return [*name, found.kind, *(details if any(details) else ())]


def _decode_type(kind: str, base: str = "", labels: Any = (), attributes: Any = (), checks: Any = ()) -> Type:
    return Type(kind, base, tuple(labels), tuple((name, type_) for name, type_ in attributes), tuple(checks))


def _pair(found: Sequence[str]) -> RelationName:
    schema, name = found
    return schema, name
