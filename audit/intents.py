"""Intents that stayed open: the log says that a statement was about to run, and not what became of it.

An intent is closed by the next entry about the same query that says how it ended. Whoever died in between is found by
`gateway/recovery.py`, which closes its intents; reports, bundles and archives tell of those that are open in their range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from audit.following import catch_up

INTENT = "statement.intent"
CLOSING = ("statement.outcome", "execution.finished")
# Indexes that one statement reads: what is held in memory is bounded, and so is how long the database is kept busy.
SPAN = 20_000

_OPEN = """
SELECT opened.index, opened."time", opened.query::text, opened.request::text, opened.principal, opened.datasource,
       opened.environment
FROM audit_searchentry AS opened
WHERE opened.kind = %(intent)s AND opened.query IS NOT NULL AND opened.index >= %(first)s AND opened.index < %(end)s
  AND NOT EXISTS (
    SELECT FROM audit_searchentry AS closed
    WHERE closed.query = opened.query AND closed.index > opened.index AND closed.kind = ANY(%(closing)s)
      AND (%(until)s::bigint IS NULL OR closed.index < %(until)s)
  )
ORDER BY opened.index
"""


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """`index` is that of the intent's entry. `request` is set where people had approved the statement."""

    index: int
    time: datetime
    query: str
    request: str | None
    principal: str
    datasource: str
    environment: str | None


def open_intents(first: int, end: int, *, until: int | None = None) -> Iterator[OpenIntent]:
    """The intents among the entries from `first` to before `end` that nothing has closed, in the order of the log.

    What closes them may be anywhere in the log, or only before `until`, where the question is what was open then.
    """
    catch_up_to_the_end()
    for start in range(first, end, SPAN):
        with connection.cursor() as cursor:
            cursor.execute(
                _OPEN,
                {
                    "intent": INTENT,
                    "closing": list(CLOSING),
                    "first": start,
                    "end": min(end, start + SPAN),
                    "until": until,
                },
            )
            rows = cursor.fetchall()
        yield from (OpenIntent(*row) for row in rows)


def catch_up_to_the_end() -> None:
    """An intent whose end cannot be found yet would seem to be open."""
    while catch_up():
        pass
