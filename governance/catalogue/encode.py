"""The catalogue as JSON and back, and the digest that tells whether it changed. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from governance.catalogue.model import (
    Catalogue,
    Column,
    ForeignKey,
    Function,
    Relation,
    RelationKind,
    RelationName,
    Volatility,
)

FORMAT = 1


def encode(catalogue: Catalogue) -> dict[str, Any]:
    """Positions instead of names where there are thousands: functions and columns."""
    return {
        "format": FORMAT,
        "search_path": list(catalogue.search_path),
        "relations": [_encode_relation(relation) for _, relation in sorted(catalogue.relations.items())],
        "functions": {
            name: [[f.schema, f.kind, f.volatility.value, f.language, int(f.security_definer)] for f in overloads]
            for name, overloads in sorted(catalogue.functions.items())
        },
        "types": sorted(map(list, catalogue.types)),
        "operators": sorted(catalogue.operators),
        "schemas": sorted(catalogue.schemas),
    }


def decode(content: dict[str, Any], version: int) -> Catalogue:
    relations = [_decode_relation(found) for found in content["relations"]]
    volatilities = {volatility.value: volatility for volatility in Volatility}
    return Catalogue(
        version=version,
        search_path=tuple(content["search_path"]),
        relations={(relation.schema, relation.name): relation for relation in relations},
        functions={
            name: tuple(
                Function(schema, name, kind, volatilities[volatility], language, bool(definer))
                for schema, kind, volatility, language, definer in overloads
            )
            for name, overloads in content["functions"].items()
        },
        types=frozenset((schema, name) for schema, name in content["types"]),
        operators=frozenset(content["operators"]),
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
            [c.name, c.type, c.base_type, int(c.not_null), int(c.generated), *c.computed_from] for c in relation.columns
        ],
        "keys": [sorted(key) for key in relation.keys],
        "definition": relation.definition,
        "parents": [list(parent) for parent in relation.parents],
        "foreign_keys": [
            [list(k.columns), list(k.target), list(k.target_columns), k.on_delete, k.on_update]
            for k in relation.foreign_keys
        ],
        "triggers": list(relation.triggers),
        "has_rules": relation.has_rules,
        "row_security": relation.row_security,
        "estimated_rows": relation.estimated_rows,
        "size_bytes": relation.size_bytes,
    }


def _decode_relation(found: dict[str, Any]) -> Relation:
    return Relation(
        schema=found["schema"],
        name=found["name"],
        kind=RelationKind(found["kind"]),
        columns=tuple(
            Column(name, type_, base_type, bool(not_null), bool(generated), tuple(computed_from))
            for name, type_, base_type, not_null, generated, *computed_from in found["columns"]
        ),
        keys=tuple(frozenset(key) for key in found["keys"]),
        definition=found["definition"],
        parents=tuple(_pair(parent) for parent in found["parents"]),
        foreign_keys=tuple(
            ForeignKey(tuple(columns), _pair(target), tuple(target_columns), on_delete, on_update)
            for columns, target, target_columns, on_delete, on_update in found["foreign_keys"]
        ),
        triggers=tuple(found["triggers"]),
        has_rules=found["has_rules"],
        row_security=found["row_security"],
        estimated_rows=found["estimated_rows"],
        size_bytes=found["size_bytes"],
    )


def _pair(found: Sequence[str]) -> RelationName:
    schema, name = found
    return schema, name
