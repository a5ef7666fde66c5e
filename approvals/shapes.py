"""What an approval was bound to, kept so that a later difference can be named: which relation, what of it. Pure.

Expressions, conditions and bodies are kept as short digests: they can hold values, and only whether they differ is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from governance.catalogue.model import Function, Relation, RelationName, Type

Shapes = Mapping[str, Any]
ASPECTS = {
    "kind": "it is now another kind of relation",
    "keys": "its keys changed",
    "definition": "its definition as a view changed",
    "parents": "what it is a part of changed",
    "foreign_keys": "its foreign keys changed",
    "rules": "its rewrite rules changed",
    "row_security": "its row security was switched",
    "checks": "its CHECK conditions changed",
    "computed": "an expression of its indexes or partitions changed",
    "particulars": "its row policies, triggers, partition bounds, collations or options changed",
}


def shapes_of(
    relations: Iterable[Relation], functions: Iterable[Function], types: Mapping[RelationName, Type]
) -> dict[str, Any]:
    """Covers what `approvals.digest.shape_of` covers."""
    return {
        "relations": {relation.qualified: _of_relation(relation) for relation in relations},
        "functions": {f"{one.qualified}({', '.join(one.arguments)})": _of_function(one) for one in functions},
        "types": {".".join(name): _mark(one) for name, one in types.items()},
    }


def _of_relation(relation: Relation) -> dict[str, Any]:
    foreign_keys = ([list(k.columns), list(k.target), k.on_delete, k.on_update] for k in relation.foreign_keys)
    return {
        "columns": {
            column.name: [column.type, _mark([column.not_null, column.generated, column.expression])]
            for column in relation.columns
        },
        "triggers": {trigger.name: _mark(trigger) for trigger in relation.triggers},
        "kind": relation.kind.value,
        "keys": _mark(sorted(sorted(key) for key in relation.keys)),
        "definition": _mark(relation.definition),
        "parents": _mark(sorted(list(parent) for parent in relation.parents)),
        "foreign_keys": _mark(sorted(foreign_keys)),
        "rules": relation.has_rules,
        "row_security": relation.row_security,
        "checks": _mark(sorted(relation.checks)),
        "computed": _mark(sorted(relation.computed)),
        "particulars": relation.particulars,
    }


def _of_function(one: Function) -> str:
    does = [one.kind, one.volatility.value, one.language, one.security_definer, one.body, list(one.settings)]
    return _mark([*does, one.strict, one.result, list(one.modes)])


def _mark(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()[:16]


def changes_between(before: Shapes, now: Shapes) -> list[str]:
    """What is different, in sentences without values; empty where nothing is."""
    return [
        *_of_relations(before["relations"], now["relations"]),
        *_of_others("function", before["functions"], now["functions"]),
        *_of_others("type", before.get("types", {}), now["types"]),
    ]


def _of_relations(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() - now.keys()):
        yield f"{name} is no longer there, or no longer touched."
    for name in sorted(now.keys() - before.keys()):
        yield f"It now also touches {name}."
    for name in sorted(before.keys() & now.keys()):
        yield from (f"{name}: {said}." for said in _of_one(before[name], now[name]))


def _of_one(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    yield from _of_columns(before["columns"], now["columns"])
    yield from _of_named("trigger", before["triggers"], now["triggers"])
    yield from (said for aspect, said in ASPECTS.items() if before.get(aspect) != now.get(aspect))


def _of_columns(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"the column {name} is gone" for name in sorted(before.keys() - now.keys()))
    yield from (f"the column {name} is new" for name in sorted(now.keys() - before.keys()))
    for name in sorted(before.keys() & now.keys()):
        (old, rest), (new, other) = before[name], now[name]
        if old != new:
            yield f"the column {name} was {old} and is now {new}"
        elif rest != other:
            yield f"the column {name} has another default, expression or NOT NULL"


def _of_others(what: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    return (f"{said[:1].upper()}{said[1:]}." for said in _of_named(what, before, now))


def _of_named(what: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    yield from (f"the {what} {name} is gone" for name in sorted(before.keys() - now.keys()))
    yield from (f"the {what} {name} is new" for name in sorted(now.keys() - before.keys()))
    yield from (
        f"the {what} {name} changed" for name in sorted(before.keys() & now.keys()) if before[name] != now[name]
    )
