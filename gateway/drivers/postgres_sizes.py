"""How many rows a relation has, as the planner takes it: statistics and the size on disk, not a count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

TIMEOUT_MS = "2000"


def estimate_rows(connection: psycopg.Connection[Any], relations: Sequence[tuple[str, str]]) -> dict[str, int]:
    """By qualified name. Of a partitioned table or a parent, with its children. What the role may not read, or what is not
    there, is left out."""
    connection.execute("SELECT set_config('statement_timeout', %s, true)", [TIMEOUT_MS])
    found = {}
    for schema, name in relations:
        plan = sql.SQL("EXPLAIN (FORMAT JSON) TABLE {}").format(sql.Identifier(schema, name))
        try:
            with connection.transaction():
                row = connection.execute(plan).fetchone()
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable, psycopg.errors.WrongObjectType):
            continue
        if row:
            found[f"{schema}.{name}"] = int(row[0][0]["Plan"]["Plan Rows"])
    return found
