"""What is asked of pg_catalog, one query for each sort of object. No user's schema has a name that begins with `pg_`:
PostgreSQL keeps that prefix for itself."""

SCHEMAS = """
SELECT n.nspname AS name FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^(pg_|information_schema$)'
"""

RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relrowsecurity AS row_security,
       GREATEST(c.reltuples, 0)::bigint AS estimated_rows,
       GREATEST(c.relpages, 0)::bigint * pg_catalog.current_setting('block_size')::bigint AS size_bytes,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition
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
       COALESCE(pg_catalog.pg_get_expr(x.adbin, x.adrelid), '') AS expression,
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
LEFT JOIN pg_catalog.pg_attrdef x ON x.adrelid = a.attrelid AND x.adnum = a.attnum
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
SELECT t.tgrelid AS oid, t.tgname AS name, t.tgtype AS type, fn.nspname AS function_schema, f.proname AS function_name,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr) ORDER BY a.attnum) AS columns,
       CASE WHEN t.tgqual IS NULL THEN '' ELSE pg_catalog.pg_get_triggerdef(t.oid) END AS definition
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY t.tgrelid, t.tgname
"""

RULES = """
SELECT r.ev_class AS oid, r.rulename AS name,
       CASE r.ev_type WHEN '1' THEN 'select' WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END AS event
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY r.ev_class, r.rulename
"""

# What a view uses hangs on its rule. Without a column the relation itself is meant.
DEPENDENCIES = """
SELECT r.ev_class AS oid, d.refobjid AS used,
       COALESCE(pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '{}')
         AS columns
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.rulename = '_RETURN'
  AND d.refobjid <> r.ev_class AND n.nspname !~ '^(pg_|information_schema$)'
GROUP BY r.ev_class, d.refobjid, n.nspname, c.relname
ORDER BY r.ev_class, n.nspname, c.relname
"""

# Plain columns of indexes, those in an index's expressions and conditions, and those of keys, on both of their sides.
INDEXED = """
SELECT found.oid, pg_catalog.array_agg(DISTINCT a.attname::text) AS columns
FROM (
  SELECT i.indrelid AS oid, key.attnum FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.unnest(i.indkey) AS key(attnum)
  UNION ALL
  SELECT i.indrelid, d.refobjsubid FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indrelid
  UNION ALL
  SELECT k.conrelid, key.attnum FROM pg_catalog.pg_constraint k CROSS JOIN pg_catalog.unnest(k.conkey) AS key(attnum)
  WHERE k.contype IN ('p', 'u', 'f', 'x')
  UNION ALL
  SELECT k.confrelid, key.attnum FROM pg_catalog.pg_constraint k CROSS JOIN pg_catalog.unnest(k.confkey) AS key(attnum)
  WHERE k.contype = 'f'
  UNION ALL
  SELECT p.partrelid, key.attnum
  FROM pg_catalog.pg_partitioned_table p CROSS JOIN pg_catalog.unnest(p.partattrs) AS key(attnum)
) found
JOIN pg_catalog.pg_attribute a ON a.attrelid = found.oid AND a.attnum = found.attnum AND a.attnum > 0
JOIN pg_catalog.pg_class c ON c.oid = found.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema$)'
GROUP BY found.oid
"""

CHECKS = """
SELECT k.conrelid AS oid, pg_catalog.pg_get_expr(k.conbin, k.conrelid) AS expression
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY k.conrelid, k.conname
"""

# What else decides what a statement on the relation does or which rows it meets, as one digest; nothing where all is usual.
PARTICULARS = """
SELECT found.oid,
       pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
         pg_catalog.string_agg(found.said, E'\\n' ORDER BY found.said COLLATE "C"), 'UTF8')), 'hex') AS mark
FROM (
  SELECT p.polrelid AS oid, pg_catalog.concat_ws('|', 'policy', p.polname, p.polcmd, p.polpermissive,
           ARRAY(SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1),
           COALESCE(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''),
           COALESCE(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')) AS said
  FROM pg_catalog.pg_policy p
  UNION ALL SELECT c.oid, 'row security is forced' FROM pg_catalog.pg_class c WHERE c.relforcerowsecurity
  UNION ALL SELECT t.tgrelid, pg_catalog.concat_ws('|', 'trigger', t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid))
  FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
  UNION ALL SELECT c.oid, pg_catalog.concat_ws('|', 'partition', pg_catalog.pg_get_expr(c.relpartbound, c.oid))
  FROM pg_catalog.pg_class c WHERE c.relispartition
  UNION ALL SELECT c.oid, pg_catalog.concat_ws('|', 'options', c.reloptions)
  FROM pg_catalog.pg_class c WHERE c.relkind = 'v' AND c.reloptions IS NOT NULL
  UNION ALL SELECT a.attrelid, pg_catalog.concat_ws('|', 'collation', a.attname, o.collname)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation
  WHERE a.attcollation <> t.typcollation AND a.attnum > 0 AND NOT a.attisdropped
) found
JOIN pg_catalog.pg_class c ON c.oid = found.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema$)'
GROUP BY found.oid
"""

# Several expressions of one index come as one list.
COMPUTED = """
SELECT found.oid, found.expression
FROM (
  SELECT i.indrelid AS oid, pg_catalog.pg_get_expr(i.indexprs, i.indrelid) AS expression FROM pg_catalog.pg_index i
  UNION SELECT i.indrelid, pg_catalog.pg_get_expr(i.indpred, i.indrelid) FROM pg_catalog.pg_index i
  UNION SELECT p.partrelid, pg_catalog.pg_get_expr(p.partexprs, p.partrelid) FROM pg_catalog.pg_partitioned_table p
) found
JOIN pg_catalog.pg_class c ON c.oid = found.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE found.expression IS NOT NULL AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY found.oid, found.expression
"""

# Of PostgreSQL's own functions only what tells them apart; a name's overloads mostly agree, so they are few.
SYSTEM_FUNCTIONS = """
SELECT DISTINCT n.nspname AS schema, p.proname AS name, p.prokind::text AS kind, p.provolatile::text AS volatility,
       l.lanname AS language, p.prosecdef AS security_definer
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname IN ('pg_catalog', 'information_schema')
ORDER BY name, schema, kind, volatility, language, security_definer
"""

# PostgreSQL lists every aggregate as internal and immutable; it is what the functions are that it is made of.
USER_FUNCTIONS = """
SELECT n.nspname AS schema, p.proname AS name, p.prokind::text AS kind,
       COALESCE(worst.volatility, p.provolatile::text) AS volatility, COALESCE(worst.language, l.lanname) AS language,
       p.prosecdef AS security_definer, p.proisstrict AS strict,
       ARRAY(SELECT pg_catalog.format_type(a.type, NULL)
             FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a(type, place) ORDER BY a.place) AS arguments,
       COALESCE(p.proargmodes::text[], '{}') AS modes,
       COALESCE(pg_catalog.pg_get_function_result(p.oid), '') AS result,
       CASE WHEN l.lanname IN ('sql', 'plpgsql') AND p.prokind <> 'a' THEN p.prosrc END AS source,
       pg_catalog.pg_get_function_sqlbody(p.oid) AS standard_body,
       COALESCE(p.proconfig, '{}') AS settings, COALESCE(extension.extname, '') AS extension
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_depend member
  ON member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND member.objid = p.oid AND member.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension extension ON extension.oid = member.refobjid
LEFT JOIN LATERAL (
  SELECT CASE WHEN pg_catalog.bool_and(sl.lanname IN ('c', 'internal') AND NOT s.prosecdef) THEN 'c' ELSE 'sql' END
           AS language,
         CASE WHEN pg_catalog.bool_and(s.provolatile = 'i') THEN 'i' ELSE 'v' END AS volatility
  FROM pg_catalog.pg_aggregate a
  JOIN pg_catalog.pg_proc s ON s.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
                                         a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
  JOIN pg_catalog.pg_language sl ON sl.oid = s.prolang
  WHERE a.aggfnoid = p.oid
) worst ON p.prokind = 'a'
WHERE n.nspname !~ '^(pg_|information_schema$)'
ORDER BY name, schema, arguments
"""

# A relation's row type is a type too, and can be cast to; an array's is found by its element. A domain holds what the
# domains below it hold; `typnotnull` and lengths are no expressions.
TYPES = """
WITH RECURSIVE below AS (
  SELECT t.oid AS type, t.oid AS over FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT below.type, t.typbasetype FROM below JOIN pg_catalog.pg_type t ON t.oid = below.over WHERE t.typtype = 'd'
)
SELECT n.nspname AS schema, t.typname AS name, t.typtype::text AS kind,
       CASE WHEN t.typtype = 'd' THEN (
         SELECT pg_catalog.format_type(o.oid, NULL) FROM below JOIN pg_catalog.pg_type o ON o.oid = below.over
         WHERE below.type = t.oid AND o.typtype <> 'd') ELSE '' END AS base,
       CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
         WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) ELSE '{}' END AS labels,
       CASE WHEN c.relkind = 'c' THEN ARRAY(
         SELECT ARRAY[a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)] FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) ELSE '{}' END AS attributes,
       CASE WHEN t.typtype = 'd' THEN ARRAY(
         SELECT pg_catalog.pg_get_expr(k.conbin, 0) FROM below JOIN pg_catalog.pg_constraint k ON k.contypid = below.over
         WHERE below.type = t.oid AND k.conbin IS NOT NULL
         UNION
         SELECT pg_catalog.pg_get_expr(o.typdefaultbin, 0) FROM below JOIN pg_catalog.pg_type o ON o.oid = below.over
         WHERE below.type = t.oid AND o.typdefaultbin IS NOT NULL ORDER BY 1) ELSE '{}' END AS checks
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE n.nspname !~ '^(pg_|information_schema$)'
ORDER BY schema, name
"""

OPERATORS = """
SELECT n.nspname AS schema, o.oprname AS name, fn.nspname AS function_schema, f.proname AS function_name,
       CASE o.oprleft WHEN 0 THEN '' ELSE pg_catalog.format_type(o.oprleft, NULL) END AS "left",
       CASE o.oprright WHEN 0 THEN '' ELSE pg_catalog.format_type(o.oprright, NULL) END AS "right"
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_catalog.pg_proc f ON f.oid = o.oprcode
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
WHERE n.nspname !~ '^(pg_|information_schema$)'
ORDER BY name, schema, "left", "right"
"""

# PostgreSQL's own objects have oids below 16384.
CASTS = """
SELECT pg_catalog.format_type(c.castsource, NULL) AS source, pg_catalog.format_type(c.casttarget, NULL) AS target,
       n.nspname AS function_schema, f.proname AS function_name, c.castcontext::text AS context
FROM pg_catalog.pg_cast c
JOIN pg_catalog.pg_proc f ON f.oid = c.castfunc
JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
WHERE c.oid >= 16384
ORDER BY source, target
"""
