"""Fills a scratch ledger with very many entries in little time: made in SQL, as the writer would have written them."""

from __future__ import annotations

from audit.merkle import Frontier

AT_ONCE = 500_000

# Keys in order and no spaces: canonical JSON. OFFSET 0, so that each header is made once.
_FILL = """
INSERT INTO audit_entry (index, "time", kind, header, leaf)
SELECT n, at, 'statement.denied', header, sha256('\\x00'::bytea || header)
FROM (
    SELECT n, at, convert_to(format(
        '{"datasource":"shop","digest":"%%s","door":"rest","index":%%s,"kind":"statement.denied","owner":"ada",'
        '"principal":"agent:bot-%%s","relations":["public.t%%s"],"risk":%%s,"run":"run-%%s","time":"%%s","v":1,'
        '"verdict":"deny"}',
        encode(sha256(n::text::bytea), 'hex'), n, n %% 40, n %% 200, n %% 100, n / 5,
        to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ), 'UTF8') AS header
    FROM (
        SELECT n, greatest(head."time", '2026-01-01Z') + (n - head.size + 1) * interval '1 millisecond' AS at
        FROM audit_head AS head, generate_series(head.size, %s::bigint - 1) AS n
    ) AS moments OFFSET 0
) AS entries
"""
_MOVE = """
UPDATE audit_head SET size = %s, frontier = %s, "time" = (SELECT "time" FROM audit_entry WHERE index = %s) WHERE id = 1
"""


def fill_log(size: int) -> None:
    """Entries up to `size`, and the head that belongs to them. Only where nobody else writes."""
    from django.db import connection, transaction

    from audit.models import Head

    head = Head.objects.get(id=1)
    frontier = Frontier.from_bytes(head.size, bytes(head.frontier))
    while frontier.size < size:
        first, end = frontier.size, min(size, frontier.size + AT_ONCE)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(_FILL, [end])
            cursor.execute("SELECT leaf FROM audit_entry WHERE index >= %s AND index < %s ORDER BY index", [first, end])
            for (leaf,) in cursor.fetchall():
                frontier.append(bytes(leaf))
            cursor.execute(_MOVE, [end, frontier.to_bytes(), end - 1])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_entry")
