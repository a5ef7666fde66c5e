-- name: statistics
SELECT most_common_vals, histogram_bounds FROM pg_catalog.pg_stats WHERE tablename = 'customers'
-- name: statistics, where a table has the same name
SELECT most_common_vals FROM pg_stats
-- name: statistics, where a table has the same name, written
UPDATE pg_stats SET id = 1 WHERE id = 1 RETURNING *
-- name: raw statistics
SELECT * FROM pg_statistic
-- name: extended statistics
SELECT * FROM pg_stats_ext
-- name: extended statistics data
SELECT * FROM pg_catalog.pg_statistic_ext_data
-- name: activity
SELECT query FROM pg_stat_activity
-- name: statements
SELECT query FROM pg_stat_statements
-- name: user tables
SELECT * FROM pg_stat_user_tables
-- name: table IO
SELECT * FROM pg_statio_all_tables
-- name: shadow passwords
SELECT * FROM pg_shadow
-- name: role passwords
SELECT rolpassword FROM pg_authid
-- name: settings
SELECT * FROM pg_settings
-- name: settings by name
SHOW ALL
-- name: large object data
SELECT data FROM pg_largeobject
-- name: cursors
SELECT * FROM pg_cursors
-- name: prepared statements
SELECT * FROM pg_prepared_statements
-- name: locks
SELECT * FROM pg_locks
-- name: user mappings
SELECT * FROM pg_user_mappings
-- name: catalogue joined with a masked relation
SELECT a.attname, c.email FROM pg_attribute a, customers c WHERE a.attrelid = 'customers'::regclass AND c.id = 1
-- name: bounds of partitions
SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition
-- name: defaults that were added
SELECT attname, attmissingval FROM pg_attribute WHERE attrelid = 'customers'::regclass
-- name: definition of a view that reads the table
SELECT pg_get_viewdef('customer_mail'::regclass)
-- name: information schema of columns
SELECT column_name, column_default, generation_expression FROM information_schema.columns WHERE table_name = 'customers'
-- name: information schema that is closed
SELECT * FROM information_schema.user_mapping_options
