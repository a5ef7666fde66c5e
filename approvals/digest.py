"""What an approval is bound to (P4): one changed byte in any of these gives another digest, and the approval is void. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from governance.catalogue.model import Relation


def shape_of(relations: Iterable[Relation]) -> str:
    """SHA-256 of the schema that a statement touches: names, columns, keys, views, triggers; not sizes."""
    shapes = [
        [
            relation.qualified,
            relation.kind.value,
            [[column.name, column.type, column.not_null, column.generated] for column in relation.columns],
            sorted(sorted(key) for key in relation.keys),
            relation.definition,
            sorted(list(parent) for parent in relation.parents),
            sorted(
                [list(key.columns), list(key.target), key.on_delete, key.on_update] for key in relation.foreign_keys
            ),
            sorted(relation.triggers),
            relation.has_rules,
            relation.row_security,
        ]
        for relation in sorted(relations, key=lambda relation: relation.qualified)
    ]
    return hashlib.sha256(orjson.dumps(shapes)).hexdigest()


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
