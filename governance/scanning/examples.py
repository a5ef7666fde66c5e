"""What people see of the values behind a proposal: masked by the database itself, as everybody else will see them.

No value leaves the database for it. Where a mask leaves the rest of a text as it is, there is no example.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from governance.catalogue.model import Column, Relation
from governance.classes import BUILT_IN
from governance.masking.errors import MaskingImpossible
from governance.masking.masks import masked_value
from governance.policy.decision import MaskedColumn
from governance.scanning.sampling import relation_name

MOST = 3
LONGEST = 60
LOOKED_AT = 50
# What is left of a text may still tell of somebody.
NOT_SHOWN = frozenset({"scrub"})


def masked_examples(
    connection: psycopg.Connection[Any], relation: Relation, column: Column, path: str, data_class: str
) -> list[str]:
    """Inside a transaction that `sampling.set_up` began. Empty where nothing can be shown."""
    mask = BUILT_IN[data_class].mask
    if mask in NOT_SHOWN:
        return []
    # What stands at a path is shown as the text that it is.
    shown = Column("value", "text", "text") if path else Column("value", column.type, column.base_type)
    masked = MaskedColumn(relation.schema, relation.name, column.name, data_class, mask)
    try:
        expression = masked_value(shown, [masked], '"value"')
        with connection.transaction():
            rows = connection.execute(_query(relation, column, path, expression)).fetchall()
    except (MaskingImpossible, psycopg.DataError, psycopg.ProgrammingError, psycopg.OperationalError):
        if connection.closed:
            raise
        return []
    return sorted(row[0] for row in rows if row[0] is not None)


def _query(relation: Relation, column: Column, path: str, expression: str) -> sql.Composed:
    values = _at_path(relation, column, path) if path else _of_column(relation, column)
    return sql.SQL(
        "SELECT DISTINCT pg_catalog.left(({masked})::pg_catalog.text, {longest}) FROM ({values}) AS sample LIMIT {most}"
    ).format(
        # Built by the masks' own registry from quoted names.
        masked=sql.SQL(expression),
        longest=sql.Literal(LONGEST),
        values=values,
        most=sql.Literal(MOST),
    )


def _of_column(relation: Relation, column: Column) -> sql.Composed:
    return sql.SQL('SELECT {column} AS "value" FROM {relation} WHERE {column} IS NOT NULL LIMIT {most}').format(
        column=sql.Identifier(column.name), relation=relation_name(relation), most=sql.Literal(LOOKED_AT)
    )


def _at_path(relation: Relation, column: Column, path: str) -> sql.Composed:
    return sql.SQL(
        "SELECT found OPERATOR(pg_catalog.#>>) '{{}}' AS \"value\" FROM (SELECT {column}::pg_catalog.jsonb AS document"
        " FROM {relation} WHERE {column} IS NOT NULL LIMIT {most}) AS read,"
        " LATERAL pg_catalog.jsonb_path_query(document, {path}::pg_catalog.jsonpath) AS found"
    ).format(
        column=sql.Identifier(column.name),
        relation=relation_name(relation),
        most=sql.Literal(LOOKED_AT),
        path=sql.Literal(path),
    )
