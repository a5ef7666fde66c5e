"""Verification of the live tables: one snapshot of head and entries, read with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from audit.merkle import Frontier
from audit.verify import COMPARED, Fault, Noted, Report, Row, verify

_AT_ONCE = 1000
_COLUMNS = ", ".join(f'entry."{name}"' for name in COMPARED)
_ROWS = (
    f"SELECT entry.index, entry.header, entry.leaf, payload.nonce, payload.ciphertext, {_COLUMNS}"  # noqa: S608
    " FROM audit_entry AS entry LEFT JOIN audit_payload AS payload ON payload.index = entry.index ORDER BY entry.index"
)
_STRAY_PAYLOAD = (
    "SELECT min(index) FROM audit_payload AS payload"
    " WHERE NOT EXISTS (SELECT FROM audit_entry AS entry WHERE entry.index = payload.index)"
)


def verify_ledger(expected: Noted | None = None) -> Report:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT size, frontier FROM audit_head WHERE id = 1")
        found = cursor.fetchone()
        if found is None:
            return Report(0, Frontier().root().hex(), Fault(0, "the ledger has no head"))
        try:
            head = Frontier.from_bytes(found[0], bytes(found[1]))
        except ValueError as error:
            return Report(0, Frontier().root().hex(), Fault(0, f"the head was changed: {error}"))
        report = verify(_rows(), head, expected)
        cursor.execute(_STRAY_PAYLOAD)
        stray = cursor.fetchone()[0]
    if report.intact and stray is not None:
        return Report(report.count, report.root, Fault(stray, "there is a payload without an entry"))
    return report


def _rows() -> Iterator[Row]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ROWS)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from map(_row, rows)


def _row(values: tuple[Any, ...]) -> Row:
    index, header, leaf, nonce, ciphertext = values[:5]
    payload = None if nonce is None else (bytes(nonce), bytes(ciphertext))
    return Row(index, dict(zip(COMPARED, values[5:], strict=True)), bytes(header), bytes(leaf), payload)
