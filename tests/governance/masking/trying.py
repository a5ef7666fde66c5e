"""Masks tried on values, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from governance.catalogue.model import Column
from governance.masking.masks import masked_value
from governance.masking.masks.pseudonym import INNER, OUTER
from governance.policy.decision import MaskedColumn

Session = psycopg.Connection[Any]
# RFC 2104's blocks for the key of 64 zero bytes.
NO_KEY = ("36" * 64, "5c" * 64)


@contextmanager
def connected(dsn: str, blocks: Sequence[str] = NO_KEY) -> Iterator[Session]:
    with psycopg.connect(dsn, autocommit=True) as session:
        use_key(session, *blocks)
        yield session


def use_key(session: Session, inner: str, outer: str) -> None:
    session.execute(f"SELECT set_config('{INNER}', %s, false), set_config('{OUTER}', %s, false)", [inner, outer])


def a_mask(mask: str, data_class: str = "email", path: str = "") -> MaskedColumn:
    return MaskedColumn("public", "people", "c", data_class, mask, path)


def shown(session: Session, type_: str, values: Sequence[str | None], *masks: MaskedColumn) -> list[str | None]:
    """The text of each masked value."""
    expression = masked_value(Column("c", type_, type_), masks, '"c"')
    rows = f"SELECT v::{type_} AS c FROM unnest($1::text[]) WITH ORDINALITY u(v, n) ORDER BY n"
    sql = f"SELECT ({expression})::text FROM ({rows}) t"
    return [row[0] for row in psycopg.RawCursor(session).execute(sql, [list(values)]).fetchall()]


def one(session: Session, type_: str, value: str, *masks: MaskedColumn) -> str | None:
    return shown(session, type_, [value], *masks)[0]
