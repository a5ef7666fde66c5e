"""Search pages of a large ledger beside the same pages of a small one: `python -m bench.search [--entries 10000000]`.

Both are made in SQL, in a scratch database of their own, with the skew that logs have: four busy agents, forty middling
ones and many that are seen ten times; 200 relations and 20 classes, a few of them everywhere; five statements to a run.
Each page is asked for several times at different places; the median counts, and the ratio to the small log's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.ground import scratch_database

SMALL = 100_000
CHUNK = 250_000
ROUNDS = 9
MOST_RATIO = 3.0
START = "2026-01-01T00:00:00+00:00"

# A number from 0 to below 1 that hangs on the entry and on what it is for.
CHANCE = "((hashint8extended(n, {salt}) & 1048575) / 1048576.0)"
MADE = """
CREATE OR REPLACE FUNCTION made(first bigint, below bigint, total bigint) RETURNS TABLE (
    index bigint, "time" timestamptz, kind text, principal text, owner text, door text, datasource text,
    environment text, verdict text, risk smallint, query uuid, run text, fingerprint text, on_behalf_of text,
    status text, relations text[], classes text[], policies text[], sql text
) LANGUAGE sql AS $$
SELECT n, timestamptz '{start}' + n * interval '1 second',
    CASE WHEN n % 1000 = 7 THEN 'signin.succeeded' WHEN n % 50 = 3 THEN 'statement.denied'
         WHEN n % 97 = 5 THEN 'statement.parked' WHEN n % 2 = 0 THEN 'statement.intent' ELSE 'statement.outcome' END,
    CASE WHEN {who} < 0.8 THEN 'agent:busy-' || floor({who} * 5)
         WHEN {who} < 0.99 THEN 'agent:middling-' || floor({which} * 40)
         ELSE 'agent:rare-' || floor({which} * total / 1000) END,
    'ada', (ARRAY['rest', 'mcp', 'wire', 'web'])[1 + n % 4],
    'source-' || floor({place} * {place} * 6), 'prod',
    CASE WHEN n % 50 = 3 THEN 'deny' WHEN n % 97 = 5 THEN 'review' ELSE 'allow' END,
    floor({danger} * {danger} * {danger} * 100)::smallint, md5('query' || n / 2)::uuid, 'run-' || n / 5,
    substr(md5('fingerprint' || floor({what} * (2000 + total / 2000))), 1, 16),
    CASE WHEN {who} < 0.5 THEN 'user:' || floor({which} * total / 200) END,
    CASE WHEN n % 2 = 1 THEN 'executed' END,
    ARRAY['public.relation_' || floor({touched} ^ 4 * 200)],
    CASE WHEN {touched} < 0.3 THEN ARRAY['class_' || floor(({touched} / 0.3) ^ 3 * 20)] ELSE '{{}}' END,
    ARRAY['policy-' || n % 5],
    'SELECT column_' || floor({what} * (2000 + total / 2000)) || ' FROM relation_' || floor({what} * 200)
FROM generate_series(first, below - 1) AS n
$$
""".format(
    start=START,
    **{
        name: CHANCE.format(salt=salt)
        for salt, name in enumerate(("who", "which", "place", "danger", "what", "touched"))
    },
)
COLUMNS = (
    'index, "time", kind, principal, owner, door, datasource, environment, verdict, risk, query, run, fingerprint,'
    " on_behalf_of, status"
)
FILL = (
    """
INSERT INTO audit_entry (index, "time", kind, header, leaf)
SELECT index, "time", kind, header, sha256('\\x00'::bytea || header) FROM (
    SELECT index, "time", kind, convert_to(json_strip_nulls(row_to_json(one))::text, 'UTF8') AS header
    FROM made(%(first)s, %(below)s, %(total)s) AS one) AS entry
""",
    f"""
INSERT INTO audit_searchentry ({COLUMNS}, text)
SELECT {COLUMNS}, hashtextextended(sql, 0) FROM made(%(first)s, %(below)s, %(total)s)
""",
    """
INSERT INTO audit_searchterm (term, index)
SELECT hashtextextended(name, 0), index FROM made(%(first)s, %(below)s, %(total)s), LATERAL (
    SELECT 'relation:' || unnest(relations) UNION SELECT 'class:' || unnest(classes)
    UNION SELECT 'policy:' || unnest(policies)) AS named(name)
""",
    """
INSERT INTO audit_searchtext (id, text)
SELECT DISTINCT hashtextextended(sql, 0), sql FROM made(%(first)s, %(below)s, %(total)s) ON CONFLICT DO NOTHING
""",
)
TABLES = ("audit_searchtext", "audit_searchterm", "audit_searchentry", "audit_entry")
PROJECTED = ("audit_searchterm", "audit_searchentry")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--entries", type=int, default=1_000_000, help="of the large log (default: 1,000,000)")
    arguments.add_argument("--explain", action="store_true", help="print the plan of every statement, once each")
    options = arguments.parse_args()
    with scratch_database() as _:
        small = measured(SMALL, explain=False)
        large = measured(options.entries, explain=options.explain)
    print(f"{'page':<46} {SMALL:>12,} {options.entries:>14,}    ratio")
    for name, before in small.items():
        ratio = large[name] / before
        note = "" if ratio <= MOST_RATIO else f"   more than {MOST_RATIO:g}"
        print(f"{name:<46} {before:>9.2f} ms {large[name]:>11.2f} ms {ratio:>8.2f}{note}")


# --- The log ------------------------------------------------------------------------------------------------------


def fill(total: int) -> None:
    """Entries and what they are found by, without indexes at first: they are built over what is there."""
    from django.db import connection

    start = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        empty(cursor)
        cursor.execute(MADE)
        later = without_indexes(cursor)
        for first in range(0, total, CHUNK):
            for statement in FILL:
                cursor.execute(statement, {"first": first, "below": min(first + CHUNK, total), "total": total})
        for statement in later:
            cursor.execute(statement)
        cursor.execute("UPDATE audit_head SET size = %s WHERE id = 1", [total])
        cursor.execute(
            "INSERT INTO audit_follower (name, next) VALUES ('search', %s)"
            " ON CONFLICT (name) DO UPDATE SET next = excluded.next",
            [total],
        )
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
    print(f"{total:,} entries made in {time.perf_counter() - start:,.0f} s", flush=True)


def empty(cursor: Any) -> None:
    """A log cannot be emptied; here its table can, which is this benchmark's own."""
    cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    for table in TABLES:
        cursor.execute(f"TRUNCATE {table}")
        cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")


def without_indexes(cursor: Any) -> list[str]:
    """Drops them, and gives the statements that make them again."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid), conname,"
        " pg_get_constraintdef(pg_constraint.oid) FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid"
        " WHERE indrelid::regclass::text = ANY(%s)",
        [list(PROJECTED)],
    )
    later = []
    for index, table, definition, constraint, rule in cursor.fetchall():
        if constraint:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
            later.append(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {rule}")
        else:
            cursor.execute(f"DROP INDEX {index}")
            later.append(definition)
    return later


# --- The pages ----------------------------------------------------------------------------------------------------


def measured(total: int, *, explain: bool) -> dict[str, float]:
    fill(total)
    found = {}
    for name, page in pages(total).items():
        times = []
        for number in range(ROUNDS + 1):
            start = time.perf_counter()
            page(number)
            times.append(1000 * (time.perf_counter() - start))
        found[name] = statistics.median(times[1:])  # the first meets what is not in memory yet
        if explain:
            print_plans(name, page)
    return found


def pages(total: int) -> dict[str, Callable[[int], object]]:
    from audit.search import EntryFilter, find_entries, overview

    def page(**wanted: Any) -> Callable[[int], object]:
        return lambda _number: find_entries(EntryFilter(**wanted))

    def deep(number: int) -> object:
        return find_entries(EntryFilter(), before=total * (number + 1) // (ROUNDS + 2))

    def counted(**wanted: Any) -> Callable[[int], object]:
        return lambda _number: overview(EntryFilter(**wanted))

    return {
        "newest": page(),
        "anywhere in the log": deep,
        "rare: one run": lambda number: find_entries(EntryFilter(run=f"run-{(number + 1) * total // 60}")),
        "rare: one principal of many": lambda number: find_entries(EntryFilter(principal=f"agent:rare-{number + 20}")),
        "rare: on whose behalf": lambda number: find_entries(EntryFilter(on_behalf_of=f"user:{number + 20}")),
        "middling: principal": page(principal="agent:middling-7"),
        "middling: relation": page(relation="public.relation_120"),
        "middling: class": page(data_class="class_11"),
        "common: principal": page(principal="agent:busy-1"),
        "common: relation": page(relation="public.relation_0"),
        "common: kinds, two of them": page(kind=("statement.intent", "statement.outcome")),
        "risk of 90 and more": page(risk_min=90),
        "rare and common": lambda number: find_entries(
            EntryFilter(principal=f"agent:rare-{number + 20}", verdict="allow")
        ),
        "middling and common": page(principal="agent:middling-7", relation="public.relation_0"),
        "common and common": page(principal="agent:busy-1", relation="public.relation_0"),
        "middling and middling": page(principal="agent:middling-7", data_class="class_11"),
        "text": lambda number: find_entries(EntryFilter(text=f"select column_{number + 100} ")),
        "text and principal": page(text="relation_77", principal="agent:busy-2"),
        "facets and histogram, no filter": counted(),
        "facets and histogram, common": counted(principal="agent:busy-1"),
        "facets and histogram, middling": counted(principal="agent:middling-7"),
    }


def print_plans(name: str, page: Callable[[int], object]) -> None:
    from django.db import connection

    def explained(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        if statement.lstrip("(").startswith(("SELECT d.", "SELECT count(*)", "SELECT id", "WITH")):
            with connection.cursor() as cursor, connection.execute_wrapper(lambda run, *rest: run(*rest)):
                cursor.cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, SUMMARY OFF) {statement}", values)
                print("\n".join(f"    {line}" for (line,) in cursor.cursor.fetchall()), flush=True)
        return execute(statement, values, many, context)

    print(f"\n--- {name}")
    with connection.execute_wrapper(explained):
        page(1)


if __name__ == "__main__":
    main()
