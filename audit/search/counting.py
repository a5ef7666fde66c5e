"""How many, of what and when: verdicts over time, facets, and a histogram of what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from audit.following import catch_up


@dataclass(frozen=True, slots=True)
class Bucket:
    start: datetime
    allow: int
    review: int
    deny: int


# Each statement counts once, with the first verdict on it: the run of an approved one was counted when it was parked.
_COUNT = """
SELECT width_bucket(extract(epoch FROM "time")::float8, %(since)s, %(until)s, %(buckets)s),
       count(*) FILTER (WHERE kind = 'statement.intent' AND verdict = 'allow' AND request IS NULL),
       count(*) FILTER (WHERE kind = 'statement.parked'),
       count(*) FILTER (WHERE kind = 'statement.denied')
FROM audit_searchentry
WHERE "time" >= to_timestamp(%(since)s) AND "time" < to_timestamp(%(until)s)
  AND kind IN ('statement.intent', 'statement.parked', 'statement.denied')
GROUP BY 1
"""


def verdict_counts(since: datetime, until: datetime, buckets: int) -> list[Bucket]:
    """`buckets` spans of equal length from `since` to `until`, empty ones included."""
    if until <= since or buckets < 1:
        raise ValueError("until must be later than since, and there must be at least one bucket")
    catch_up()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"since": since.timestamp(), "until": until.timestamp(), "buckets": buckets})
        counted = {number: counts for number, *counts in cursor.fetchall()}
    width = (until - since) / buckets
    return [Bucket(since + width * number, *counted.get(number + 1, (0, 0, 0))) for number in range(buckets)]
