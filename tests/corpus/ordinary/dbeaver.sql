-- name: version and session
SELECT version(), current_database(), current_schema(), session_user
-- name: search path of the session
SELECT current_schemas(true)
-- name: this database
SELECT db.oid, db.datname, db.datdba, db.encoding, db.datistemplate, db.datallowconn, pg_catalog.shobj_description(db.oid, 'pg_database') AS description, pg_catalog.pg_encoding_to_char(db.encoding) AS encoding_name FROM pg_catalog.pg_database db WHERE db.datname = current_database()
-- name: roles
SELECT a.oid, a.rolname, a.rolsuper, a.rolcanlogin, a.rolcreatedb, a.rolconnlimit FROM pg_catalog.pg_roles a ORDER BY a.rolname
-- name: schemas
SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname
-- name: relations of a schema
SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace = {oid namespace public} AND c.relkind NOT IN ('i', 'I', 'c') ORDER BY c.oid
-- name: columns of a relation
SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON a.attrelid = c.oid LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT OUTER JOIN pg_catalog.pg_description dsc ON c.oid = dsc.objoid AND a.attnum = dsc.objsubid LEFT OUTER JOIN pg_depend dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.oid = {oid regclass orders} ORDER BY a.attnum
-- name: constraints of a schema
SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description, pg_catalog.pg_get_constraintdef(c.oid) AS definition FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass WHERE t.relnamespace = {oid namespace public} ORDER BY c.oid
-- name: indexes of a relation
SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname AS tabrelname, dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr, pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) AS expr, pg_catalog.pg_get_indexdef(i.indexrelid) AS def FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid WHERE i.indrelid = {oid regclass orders} ORDER BY tabrelname, c.relname
-- name: data types
SELECT t.oid, t.*, c.relkind, pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C') ORDER BY t.oid
-- name: enum values
SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = {oid regtype mood} ORDER BY e.enumsortorder
-- name: routines of a schema
SELECT p.oid AS poid, p.*, pg_catalog.pg_get_expr(p.proargdefaults, 0) AS arg_defaults, d.description FROM pg_catalog.pg_proc p LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid WHERE p.pronamespace = {oid namespace public} ORDER BY p.proname, p.oid
-- name: source of a routine
SELECT pg_catalog.pg_get_functiondef({oid regprocedure remove_orders()})
-- name: source of a view
SELECT pg_catalog.pg_get_viewdef({oid regclass open_orders}, true)
-- name: triggers of a relation
SELECT x.oid, x.*, p.pronamespace AS func_schema_id, d.description FROM pg_catalog.pg_trigger x LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid = x.tgfoid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = x.oid AND d.objsubid = 0 WHERE x.tgrelid = {oid regclass audited} AND NOT x.tgisinternal
-- name: sequences
SELECT s.seqrelid, s.seqstart, s.seqmin, s.seqmax, s.seqincrement, s.seqcycle FROM pg_catalog.pg_sequence s WHERE s.seqrelid = {oid regclass tickets}
-- name: inheritance
SELECT i.*, c.relnamespace FROM pg_catalog.pg_inherits i, pg_catalog.pg_class c WHERE i.inhrelid = {oid regclass staff} AND c.oid = i.inhparent ORDER BY i.inhseqno
-- name: dependencies of a relation
SELECT DISTINCT dep.deptype, dep.classid, dep.objid, cl.relkind, cl.relname AS name FROM pg_depend dep LEFT JOIN pg_class cl ON dep.objid = cl.oid WHERE dep.refobjid = {oid regclass orders} ORDER BY 1, 2, 3
-- name: sizes of a relation
SELECT pg_catalog.pg_total_relation_size({oid regclass orders}) AS total, pg_catalog.pg_relation_size({oid regclass orders}) AS main
-- name: rows of the grid
SELECT * FROM public.orders o LIMIT 200
-- name: rows of the grid, ordered and filtered
SELECT x.* FROM public.orders x WHERE (x.status = 'open') ORDER BY x.total DESC LIMIT 200
-- name: number of rows
SELECT count(*) FROM (SELECT * FROM public.orders) dbvrcnt
-- name: distinct values of a column
SELECT DISTINCT "status" FROM public.orders ORDER BY "status" LIMIT 200
-- name: a row by its key
SELECT "id", "customer_id", "total", "status", "placed", "note" FROM public.orders WHERE "id" = 5
