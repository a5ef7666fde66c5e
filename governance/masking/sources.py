"""The sub-select that stands in for a relation: its columns, masked; its rows, filtered. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import lru_cache

from governance.catalogue.model import Column, Relation
from governance.masking.errors import MaskingImpossible
from governance.masking.masks import masked_value
from governance.masking.plan import MaskPlan
from governance.masking.types import quote_name
from governance.policy.decision import MaskedColumn, RowFilter


def source_of(
    relation: Relation,
    plan: MaskPlan,
    inner: str,
    used: Container[str] | None = None,
    system_columns: Iterable[str] = (),
) -> str:
    """`(SELECT … FROM inner WHERE …)`. Columns that the catalogue does not know are not in it, so they are not exposed.

    `used`: the columns that the statement names, None for all. A mask that nobody looks at would only cost time, so a
    masked column that is not used is NULL; had it been used after all, NULL would be what is seen.
    """
    masks = plan.of(relation)
    columns = [
        quote_name(column.name)
        if column.name not in masks
        else _as_column(column, tuple(masks[column.name]))
        if used is None or column.name in used
        else f"NULL::{column.base_type} AS {quote_name(column.name)}"
        for column in relation.columns
    ]
    if unknown := masks.keys() - {column.name for column in relation.columns}:
        raise MaskingImpossible(f"{relation.qualified} has no column {', '.join(sorted(unknown))} to mask.")
    columns += [quote_name(name) for name in system_columns]
    where = condition_of(plan.filters_of(relation))
    return f"(SELECT {', '.join(columns)} FROM {inner}{f' WHERE {where}' if where else ''})"


@lru_cache(maxsize=8192)
def _as_column(column: Column, masks: tuple[MaskedColumn, ...]) -> str:
    return f"{masked_value(column, masks, quote_name(column.name))} AS {quote_name(column.name)}"


def condition_of(filters: Iterable[RowFilter]) -> str:
    """All of them must hold. Each was read as one expression when its policy was saved."""
    return " AND ".join(f"({one.condition})" for one in filters)


def name_of(relation: Relation, *, with_children: bool) -> str:
    return f"{'' if with_children else 'ONLY '}{quote_name(relation.schema)}.{quote_name(relation.name)}"
