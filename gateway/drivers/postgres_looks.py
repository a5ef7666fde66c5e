"""What a trial run looks at, as SQL: sizes before it runs; counts, locks, sequences and storage inside its transaction."""

from __future__ import annotations

EVENT_TRIGGERS = "SELECT count(*) FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'"
# A relation, or all partitions of it.
_PARTS = """SELECT coalesce(
    (SELECT array_agg(relid::oid) FROM pg_catalog.pg_partition_tree(one.oid) WHERE isleaf), ARRAY[one.oid])"""
SIZE = f"""
SELECT sum(pg_catalog.pg_total_relation_size(part))::int8
FROM (SELECT pg_catalog.to_regclass(%s)::oid AS oid) AS one, LATERAL unnest(({_PARTS})) AS part
"""  # noqa: S608 constants
STORAGE_OF_NAME = f"""
SELECT one.oid::int8, (SELECT array_agg(pg_catalog.pg_relation_filenode(part)::int8) FROM unnest(({_PARTS})) AS part)
FROM (SELECT pg_catalog.to_regclass(%s)::oid AS oid) AS one
"""  # noqa: S608 constants
STORAGE_OF_OID = f"""
SELECT (SELECT array_agg(pg_catalog.pg_relation_filenode(part)::int8) FROM unnest(({_PARTS})) AS part)
FROM pg_catalog.pg_class AS one WHERE one.oid = %s::oid
"""  # noqa: S608 constants
COUNTERS = """
SELECT schemaname::text, relname::text, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY 1, 2
"""
SEQUENCES = """
SELECT c.oid::int8, pg_catalog.format('%%s.%%s', n.nspname, c.relname), pg_catalog.pg_sequence_last_value(c.oid::regclass)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
    AND CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE') ELSE false END
ORDER BY c.oid LIMIT %s
"""
# The strongest of the modes that it holds on each relation of the user's, and who else is there.
LOCKS = """
WITH held AS MATERIALIZED (
    SELECT l.pid, l.relation, l.mode, l.granted FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
), mine AS (
    SELECT relation, (array_agg(mode ORDER BY pg_catalog.array_position(
        ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
              'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'], mode) DESC))[1] AS mode
    FROM held WHERE pid = pg_catalog.pg_backend_pid() AND granted GROUP BY relation
)
SELECT n.nspname::text, c.relname::text, mine.mode,
    (SELECT count(DISTINCT o.pid) FROM held o
        WHERE o.relation = mine.relation AND o.granted AND o.pid <> pg_catalog.pg_backend_pid()),
    (SELECT count(DISTINCT o.pid) FROM held o WHERE o.relation = mine.relation AND NOT o.granted
        AND pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(o.pid)))
FROM mine JOIN pg_catalog.pg_class c ON c.oid = mine.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2
"""
WAITING = """
SELECT count(DISTINCT pid) FROM pg_catalog.pg_locks
WHERE NOT granted AND pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(pid))
"""
HOLDERS = """
SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND l.relation IN (SELECT pg_catalog.to_regclass(name) FROM unnest(%s::text[]) AS name)
"""
KNOWN_RELATION = """
SELECT true FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
KNOWN_CONSTRAINT = """
SELECT true FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = %s AND r.relname = %s AND %s IN (
    SELECT conname FROM pg_catalog.pg_constraint WHERE conrelid = r.oid
    UNION ALL SELECT i.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = r.oid)
"""
