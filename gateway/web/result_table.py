"""A stored result as one page of a table, with values as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.models import Query, Result

PAGE_ROWS = 100
LONGEST_CELL = 2000
NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "oid", "money"})


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    masked: bool

    @property
    def is_number(self) -> bool:
        return self.type in NUMBERS


@dataclass(frozen=True, slots=True)
class Cell:
    """`is_null` and `is_number` are for looks; `text` is what the database sent, cut if it is very long."""

    text: str
    is_null: bool = False
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class ResultTable:
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    first: int
    total: int
    truncated: bool
    previous: str
    next: str

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def masked(self) -> int:
        return sum(column.masked for column in self.columns)


def result_table(query: Query, page_text: str) -> ResultTable | None:
    """None where nothing is kept: it did not run, gave no rows, or its time is over."""
    try:
        content: Mapping[str, Any] = query.result.content
    except Result.DoesNotExist:
        return None
    return _table(content, page_text)


def _table(content: Mapping[str, Any], page_text: str) -> ResultTable:
    rows: Sequence[Sequence[Any]] = content["rows"]
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    page = (
        min(pages, max(1, int(page_text))) if page_text.isascii() and page_text.isdigit() and len(page_text) < 10 else 1
    )
    start = (page - 1) * PAGE_ROWS
    columns = tuple(Column(c["name"], c["type"], c["masked"]) for c in content["columns"])
    return ResultTable(
        columns=columns,
        rows=tuple(tuple(map(cell, row, columns)) for row in rows[start : start + PAGE_ROWS]),
        first=start + 1 if rows else 0,
        total=len(rows),
        truncated=bool(content.get("truncated")),
        previous=f"rows={page - 1}" if page > 1 else "",
        next=f"rows={page + 1}" if page < pages else "",
    )


def cell(value: Any, column: Column) -> Cell:
    if value is None:
        return Cell("NULL", is_null=True)
    if isinstance(value, bool):
        return Cell("true" if value else "false")
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return Cell(text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…", is_number=column.is_number)
