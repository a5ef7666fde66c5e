"""Brings what entries are found by up to date with the log: columns, terms and texts, read from the headers.

Appending stays fast because it writes none of this. A search catches up first, so it never misses what was recorded
before it began; in between a task does (audit/tasks.py). All of it is derived: it can be emptied and made again, it is
written without waiting for the disk, and verification compares it with the headers.
"""

from __future__ import annotations

import logging

from django.db import DataError, connection, transaction
from django.db.backends.utils import CursorWrapper

logger = logging.getLogger(__name__)

FOLLOWER = "search"
MOST_AT_ONCE = 2_000

# Fields of one value each, with their types. `index`, `time` and `kind` come from the entry itself.
COLUMNS = {
    "principal": "text", "owner": "text", "door": "text", "datasource": "text", "environment": "text",
    "verdict": "text", "risk": "smallint", "query": "uuid", "request": "uuid", "run": "text", "fingerprint": "text",
    "on_behalf_of": "text", "actor": "text", "status": "text",
}  # fmt: skip
# Fields of many values, and how a value is spelled as a term: `relation:public.orders`.
TERMS = {"relations": "relation", "classes": "class", "policies": "policy"}

_TYPED = ", ".join(
    [*(f"{name} {kind}" for name, kind in COLUMNS.items()), *(f"{name} text[]" for name in TERMS), "sql_normal text"]
)
_NAMES = ", ".join(COLUMNS)
_VALUES = " UNION ALL ".join(f"SELECT '{prefix}:' || unnest({name})" for name, prefix in TERMS.items())
_TAKE = f"""
WITH taken AS MATERIALIZED (
    SELECT entry.index, entry."time", entry.kind, field.*
    FROM audit_entry AS entry, json_to_record(convert_from(entry.header, 'UTF8')::json) AS field({_TYPED})
    WHERE entry.index >= %(first)s AND entry.index < %(end)s
), texts AS (
    INSERT INTO audit_searchtext (id, text)
    SELECT DISTINCT hashtextextended(sql_normal, 0), sql_normal FROM taken WHERE sql_normal IS NOT NULL
    ON CONFLICT DO NOTHING
), terms AS (
    INSERT INTO audit_searchterm (term, index)
    SELECT DISTINCT hashtextextended(value, 0), index FROM taken, LATERAL ({_VALUES}) AS found(value)
    WHERE value IS NOT NULL
    ON CONFLICT DO NOTHING
)
INSERT INTO audit_searchentry (index, "time", kind, {_NAMES}, text)
SELECT index, "time", kind, {_NAMES}, hashtextextended(sql_normal, 0) FROM taken
ON CONFLICT DO NOTHING
"""  # noqa: S608  put together from constants of this module
# An entry whose header cannot be read was tampered with: it is still listed, and verification names it.
_TAKE_BARE = """
INSERT INTO audit_searchentry (index, "time", kind)
SELECT index, "time", kind FROM audit_entry WHERE index = %(first)s ON CONFLICT DO NOTHING
"""


def behind() -> int:
    """How many entries cannot be found yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT head.size - coalesce((SELECT next FROM audit_follower WHERE name = %s), head.first)"
            " FROM audit_head AS head",
            [FOLLOWER],
        )
        row = cursor.fetchone()
    return max(0, row[0]) if row else 0


def catch_up(most: int = MOST_AT_ONCE * 10) -> int:
    """Takes up to `most` entries of the log and says how many are left. Callers at the same time wait for each other."""
    left = behind()
    while left and most > 0:
        left = _take(min(most, MOST_AT_ONCE))
        most -= MOST_AT_ONCE
    return left


def _take(most: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        first, size = _position(cursor)
        end = min(size, first + most)
        if end > first:
            _index(cursor, first, end)
            cursor.execute("UPDATE audit_follower SET next = %s WHERE name = %s", [end, FOLLOWER])
    return size - end


def _position(cursor: CursorWrapper) -> tuple[int, int]:
    """The first entry to take and the log's size, with the follower's row locked."""
    cursor.execute(
        "INSERT INTO audit_follower (name, next) SELECT %s, first FROM audit_head ON CONFLICT DO NOTHING", [FOLLOWER]
    )
    cursor.execute("SELECT next FROM audit_follower WHERE name = %s FOR UPDATE", [FOLLOWER])
    (following,) = cursor.fetchone()
    cursor.execute("SELECT first, size FROM audit_head WHERE id = 1")
    first, size = cursor.fetchone()
    return max(following, first), size


def _index(cursor: CursorWrapper, first: int, end: int) -> None:
    try:
        with transaction.atomic():
            cursor.execute(_TAKE, {"first": first, "end": end})
    except DataError as error:
        if end - first == 1:
            logger.error("the header of entry %d cannot be read: %s", first, error)  # noqa: TRY400  once per entry
            cursor.execute(_TAKE_BARE, {"first": first})
            return
        middle = (first + end) // 2
        _index(cursor, first, middle)
        _index(cursor, middle, end)
