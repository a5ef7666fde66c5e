"""What is asked of pg_catalog, one query for each sort of object. No user's schema has a name that begins with `pg_`:
PostgreSQL keeps that prefix for itself."""

SCHEMAS = """
SELECT n.nspname AS name FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^(pg_|information_schema$)'
"""

RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relrowsecurity AS row_security,
       GREATEST(c.reltuples, 0)::bigint AS estimated_rows,
       GREATEST(c.relpages, 0)::bigint * pg_catalog.current_setting('block_size')::bigint AS size_bytes,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
       EXISTS (SELECT FROM pg_catalog.pg_rewrite r
               WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' AND r.ev_enabled <> 'D') AS has_rules
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^(pg_|information_schema$)'
"""

# What a generated column is computed from hangs on its expression, or before PostgreSQL 15 on the column itself.
# A domain over a domain is unwrapped to the end. The modifier of the innermost domain counts, e.g. varchar(20).
COLUMNS = """
WITH RECURSIVE base AS (
  SELECT t.oid AS domain, t.typbasetype AS type, t.typtypmod AS modifier
  FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT base.domain, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE base.modifier END
  FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type WHERE t.typtype = 'd'
), unwrapped AS (
  SELECT base.domain, base.type, base.modifier FROM base
  JOIN pg_catalog.pg_type t ON t.oid = base.type WHERE t.typtype <> 'd'
)
SELECT a.attrelid AS oid, a.attname AS name, a.attnotnull AS not_null, a.attgenerated <> '' AS generated,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       COALESCE(pg_catalog.format_type(u.type, u.modifier),
                pg_catalog.format_type(a.atttypid, a.atttypmod)) AS base_type,
       CASE WHEN a.attgenerated <> '' THEN ARRAY(
         SELECT DISTINCT s.attname::text FROM pg_catalog.pg_depend d
         JOIN pg_catalog.pg_attribute s ON s.attrelid = d.refobjid AND s.attnum = d.refobjsubid
         LEFT JOIN pg_catalog.pg_attrdef e ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.oid = d.objid
         WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = a.attrelid
           AND d.refobjsubid > 0 AND d.refobjsubid <> a.attnum
           AND ((e.adrelid = a.attrelid AND e.adnum = a.attnum)
                OR (d.classid = d.refclassid AND d.objid = a.attrelid AND d.objsubid = a.attnum))
       ) END AS computed_from
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN unwrapped u ON u.domain = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY a.attrelid, a.attnum
"""

# Only what surely bounds a row: valid, checked at once, over all rows, of plain columns compared as the column itself
# compares. A parent of plain inheritance has none: its key does not hold for the rows of its children.
KEYS = """
SELECT i.indrelid AS oid, pg_catalog.array_agg(a.attname::text) AS columns
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS place
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[place]
WHERE i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready AND i.indpred IS NULL
  AND i.indexprs IS NULL AND n.nspname !~ '^(pg_|information_schema$)'
  AND NOT (c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid))
GROUP BY i.indexrelid, i.indrelid, i.indisprimary
HAVING pg_catalog.bool_and(i.indcollation[place] = a.attcollation)
ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid
"""

PARENTS = """
SELECT h.inhrelid AS oid, h.inhparent AS parent
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY h.inhrelid, h.inhseqno
"""

FOREIGN_KEYS = """
SELECT k.conrelid AS oid, k.confrelid AS target, k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY key.place)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS key(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum) AS columns,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY key.place)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS key(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.attnum) AS target_columns
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY k.conrelid, k.conname
"""

TRIGGERS = """
SELECT t.tgrelid AS oid, t.tgname AS name
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY t.tgrelid, t.tgname
"""

# PostgreSQL lists every aggregate as internal and immutable; it is what the functions are that it is made of.
FUNCTIONS = """
SELECT DISTINCT n.nspname AS schema, p.proname AS name, p.prokind::text AS kind,
       COALESCE(worst.volatility, p.provolatile::text) AS volatility, COALESCE(worst.language, l.lanname) AS language,
       p.prosecdef AS security_definer
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN LATERAL (
  SELECT CASE WHEN pg_catalog.bool_and(sl.lanname IN ('c', 'internal') AND NOT s.prosecdef) THEN 'c' ELSE 'sql' END
           AS language,
         CASE WHEN pg_catalog.bool_and(s.provolatile = 'i') THEN 'i' ELSE 'v' END AS volatility
  FROM pg_catalog.pg_aggregate a
  JOIN pg_catalog.pg_proc s ON s.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
                                         a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
  JOIN pg_catalog.pg_language sl ON sl.oid = s.prolang
  WHERE a.aggfnoid = p.oid
) worst ON p.prokind = 'a' AND n.nspname <> 'pg_catalog'
WHERE n.nspname !~ '^pg_(toast|temp)'
ORDER BY name, schema, kind, volatility, language, security_definer
"""

# A relation's row type is a type too, and can be cast to; an array's is found by its element.
TYPES = """
SELECT n.nspname AS schema, t.typname AS name
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname !~ '^(pg_|information_schema$)'
"""

# Not those of compiled extensions, which only compute: else `=` and `%` could not be used beside citext or pg_trgm.
OPERATORS = """
SELECT DISTINCT o.oprname AS name
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname !~ '^(pg_|information_schema$)'
  AND NOT (l.lanname = 'c' AND p.provolatile <> 'v' AND NOT p.prosecdef)
"""
