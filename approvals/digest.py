"""What an approval is bound to (P4): one changed byte in any of these gives another digest, and the approval is void. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import orjson

from governance.catalogue.model import Function, Relation, RelationName, Type


def shape_of(
    relations: Iterable[Relation],
    functions: Iterable[Function] = (),
    types: Mapping[RelationName, Type] = MappingProxyType({}),
) -> str:
    """SHA-256 of the schema that a statement touches: names, columns, keys, views, triggers, row policies, types, what
    functions of the database do; not sizes."""
    shape = [_shapes_of_relations(relations), _shapes_of_functions(functions), sorted(types.items(), key=itemgetter(0))]
    return hashlib.sha256(orjson.dumps(shape)).hexdigest()


def _shapes_of_relations(relations: Iterable[Relation]) -> list[Any]:
    return [
        [
            relation.qualified,
            relation.kind.value,
            [
                [column.name, column.type, column.not_null, column.generated, column.expression]
                for column in relation.columns
            ],
            sorted(sorted(key) for key in relation.keys),
            relation.definition,
            sorted(list(parent) for parent in relation.parents),
            sorted(
                [list(key.columns), list(key.target), key.on_delete, key.on_update] for key in relation.foreign_keys
            ),
            sorted(relation.triggers),
            relation.has_rules,
            relation.row_security,
            sorted(relation.checks),
            sorted(relation.computed),
            relation.particulars,
        ]
        for relation in sorted(relations, key=lambda relation: relation.qualified)
    ]


def _shapes_of_functions(functions: Iterable[Function]) -> list[Any]:
    return sorted(
        [
            function.qualified,
            list(function.arguments),
            function.kind,
            function.volatility.value,
            function.language,
            function.security_definer,
            function.body or "",
            list(function.settings),
            function.strict,
            function.result,
            list(function.modes),
        ]
        for function in functions
    )


def statement_digest(
    *, sql: str, params: Iterable[Any], datasource: str, role: str, search_path: Iterable[str], shape: str
) -> str:
    bound = {
        "sql": sql,
        "params": list(params),
        "datasource": datasource,
        "role": role,
        "search_path": list(search_path),
        "shape": shape,
    }
    return hashlib.sha256(orjson.dumps(bound, option=orjson.OPT_SORT_KEYS)).hexdigest()
