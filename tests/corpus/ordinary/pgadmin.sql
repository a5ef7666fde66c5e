-- name: version
SELECT version()
-- name: the database
SELECT db.oid AS did, db.datname, db.datallowconn, pg_encoding_to_char(db.encoding) AS serverencoding, has_database_privilege(db.oid, 'CREATE') AS cancreate, datistemplate FROM pg_catalog.pg_database db WHERE db.datname = current_database()
-- name: the role
SELECT roles.oid AS id, roles.rolname AS name, roles.rolsuper AS is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END AS can_create_role, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreatedb END AS can_create_db FROM pg_catalog.pg_roles AS roles WHERE rolname = current_user
-- name: schemas
SELECT nsp.oid, nsp.nspname AS name, has_schema_privilege(nsp.oid, 'CREATE') AS can_create, has_schema_privilege(nsp.oid, 'USAGE') AS has_usage, des.description FROM pg_catalog.pg_namespace nsp LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = nsp.oid AND des.classoid = 'pg_namespace'::regclass WHERE nspname NOT LIKE 'pg\_%' AND NOT (nsp.nspname = 'pg_catalog' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pg_class' AND relnamespace = nsp.oid LIMIT 1)) ORDER BY nspname
-- name: tables
SELECT rel.oid, rel.relname AS name, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE) AS triggercount, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE AND tgenabled = 'O') AS has_enable_triggers, (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned, (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid = rel.oid LIMIT 1) AS is_inherits, (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhparent = rel.oid LIMIT 1) AS is_inherited FROM pg_catalog.pg_class rel WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = {oid namespace public}::oid AND NOT rel.relispartition ORDER BY rel.relname
-- name: columns
SELECT DISTINCT att.attname AS name, att.attnum, pg_catalog.format_type(ty.oid, NULL) AS datatype, pg_catalog.format_type(ty.oid, att.atttypmod) AS displaytypname, att.attnotnull AS not_null, CASE WHEN att.atthasdef OR att.attidentity <> '' OR ty.typdefault IS NOT NULL THEN true ELSE false END AS has_default_val, des.description FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type ty ON ty.oid = att.atttypid LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = att.attrelid AND des.objsubid = att.attnum AND des.classoid = 'pg_class'::regclass WHERE att.attrelid = {oid regclass orders}::oid AND att.attnum > 0 AND att.attisdropped IS FALSE ORDER BY att.attnum
-- name: primary key of a table
SELECT at.attname, at.attnum, ty.typname FROM pg_catalog.pg_attribute at LEFT JOIN pg_catalog.pg_type ty ON ty.oid = at.atttypid WHERE attrelid = {oid regclass orders}::oid AND attnum = ANY ((SELECT con.conkey FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid = rel.oid AND con.contype = 'p' WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.oid = {oid regclass orders}::oid)::oid[])
-- name: constraints
SELECT con.oid, con.conname AS name, con.contype, pg_catalog.pg_get_constraintdef(con.oid, true) AS definition, NOT con.convalidated AS convalidated FROM pg_catalog.pg_constraint con WHERE con.conrelid = {oid regclass order_items} ORDER BY con.conname
-- name: indexes
SELECT DISTINCT ON (cls.relname) cls.oid, cls.relname AS name, idx.indrelid, idx.indisunique, idx.indisprimary, idx.indisvalid, am.amname, pg_catalog.pg_get_indexdef(cls.oid) FROM pg_catalog.pg_index idx JOIN pg_catalog.pg_class cls ON cls.oid = indexrelid JOIN pg_catalog.pg_class tab ON tab.oid = indrelid LEFT OUTER JOIN pg_catalog.pg_am am ON am.oid = cls.relam LEFT JOIN pg_catalog.pg_depend dep ON (dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.refclassid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = 'pg_constraint' AND relnamespace = 11) AND dep.deptype = 'i') WHERE indrelid = {oid regclass orders}::oid ORDER BY cls.relname
-- name: views
SELECT c.oid, c.relname AS name, description AS comment, pg_catalog.pg_get_viewdef(c.oid, true) AS definition FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = c.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass WHERE c.relkind = 'v' AND c.relnamespace = {oid namespace public}::oid ORDER BY c.relname
-- name: functions
SELECT pr.oid, pr.proname || '(' || COALESCE(pg_catalog.pg_get_function_identity_arguments(pr.oid), '') || ')' AS name, lanname, pg_catalog.pg_get_userbyid(proowner) AS funcowner, description FROM pg_catalog.pg_proc pr JOIN pg_catalog.pg_type typ ON typ.oid = prorettype JOIN pg_catalog.pg_language lng ON lng.oid = prolang LEFT OUTER JOIN pg_catalog.pg_description des ON des.objoid = pr.oid AND des.classoid = 'pg_proc'::regclass WHERE pr.prokind IN ('f', 'w') AND pronamespace = {oid namespace public}::oid AND typname NOT IN ('trigger', 'event_trigger') ORDER BY proname, pr.oid
-- name: privileges of a relation
SELECT 'relacl' AS deftype, COALESCE(gt.rolname, 'PUBLIC') AS grantee, g.rolname AS grantor, pg_catalog.array_agg(privilege_type ORDER BY privilege_type) AS privileges FROM (SELECT d.grantee, d.grantor, d.is_grantable, d.privilege_type FROM (SELECT rel.relacl FROM pg_catalog.pg_class rel WHERE rel.oid = {oid regclass orders}::oid) acl, pg_catalog.aclexplode(relacl) d) d LEFT JOIN pg_catalog.pg_roles g ON (d.grantor = g.oid) LEFT JOIN pg_catalog.pg_roles gt ON (d.grantee = gt.oid) GROUP BY g.rolname, gt.rolname ORDER BY 2, 3
-- name: dependents
SELECT DISTINCT dep.deptype, dep.classid, cl.relkind, ad.adbin IS NULL AS nodefault, CASE WHEN cl.relkind IS NOT NULL THEN CASE WHEN cl.relkind = 'r' THEN cl.relname ELSE cl.relkind::text || COALESCE(dep.refobjsubid::text, '') END WHEN con.oid IS NOT NULL THEN con.contype::text ELSE '' END AS type, COALESCE(cl.relname, con.conname, rw.rulename) AS refname FROM pg_catalog.pg_depend dep LEFT JOIN pg_catalog.pg_class cl ON dep.objid = cl.oid LEFT JOIN pg_catalog.pg_constraint con ON dep.objid = con.oid LEFT JOIN pg_catalog.pg_rewrite rw ON dep.objid = rw.oid LEFT JOIN pg_catalog.pg_attrdef ad ON ad.oid = dep.objid WHERE dep.refobjid = {oid regclass orders}::oid ORDER BY refname, 1, 2
-- name: size of a table
SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size({oid regclass orders})) AS "Table size", pg_catalog.pg_size_pretty(pg_catalog.pg_indexes_size({oid regclass orders})) AS "Indexes size"
-- name: rows of a table
SELECT * FROM public.orders ORDER BY id ASC
-- name: rows of a table, first hundred
SELECT * FROM public.order_items ORDER BY order_id ASC, line ASC LIMIT 100
-- name: number of rows
SELECT COUNT(*) FROM public.orders
-- name: rows behind a filter
SELECT * FROM public.orders WHERE total > 50 AND status = 'done' ORDER BY id ASC
