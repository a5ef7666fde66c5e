-- name: join through aliases
-- kinds: read
-- relations: read public.customers, read public.orders
SELECT c.city, o.total FROM customers c JOIN orders o ON o.customer_id = c.id
-- name: view and what lies below it
-- kinds: read
-- relations: read public.customer_mail, read public.customers
SELECT mail FROM customer_mail
-- name: CTE that is named like a table
-- kinds: read
-- relations: none
WITH orders AS (SELECT 1 AS id) SELECT id FROM orders
-- name: CTE that is named like the table that it reads
-- kinds: read
-- relations: read public.orders
WITH orders AS (SELECT * FROM orders) SELECT id FROM orders
-- name: delete hidden in a CTE
-- kinds: read, write
-- relations: delete public.notes, read public.notes
-- by-key: no
WITH gone AS (DELETE FROM notes RETURNING id) SELECT count(*) FROM gone
-- name: partitioned table
-- kinds: read
-- relations: read public.events
SELECT id FROM events
-- name: system catalogue
-- kinds: read
-- relations: read pg_catalog.pg_class
SELECT relname FROM pg_class
-- name: quoted and unicode names
-- kinds: read
-- relations: read public.orders
SELECT "id" FROM U&"\006Frders"
-- name: functions in any position
-- kinds: read
-- functions: pg_catalog.lower, pg_catalog.count
SELECT count(*) FROM notes WHERE lower(body) = 'x'
-- name: cartesian product
-- hazards: cartesian-product
SELECT 1 FROM orders, notes
-- name: row lock
-- kinds: read, write
-- hazards: row-lock
SELECT id FROM notes FOR UPDATE
-- name: unknown relation
-- unknown: nowhere
SELECT * FROM nowhere
-- name: function in plpgsql
-- unknown: public.remove_orders()
SELECT remove_orders()
-- name: dynamic SQL
-- hazards: dynamic-sql
SELECT query_to_xml('SELECT 1', true, true, '')
-- name: server file
-- hazards: file-access
SELECT pg_read_file('/etc/passwd')
-- name: highest parameter
-- parameters: 3
SELECT $1::int, $3::int, $2::text
