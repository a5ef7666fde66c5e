-- name: function that reads the table
SELECT raw_email(1)
-- name: function with its schema
SELECT public.raw_email(id) FROM orders
-- name: function in quotes
SELECT "raw_email"(1)
-- name: function in FROM
SELECT * FROM all_mail()
-- name: function with ordinality
SELECT * FROM ROWS FROM (all_mail()) WITH ORDINALITY
-- name: function in a filter
SELECT id FROM orders WHERE raw_email(customer_id) LIKE 'a%'
-- name: function in ORDER BY
SELECT id FROM orders ORDER BY raw_email(customer_id)
-- name: function in a window
SELECT count(*) OVER (PARTITION BY raw_email(customer_id)) FROM orders
-- name: function in LIMIT
SELECT id FROM orders LIMIT length(raw_email(1))
-- name: function as a field of a masked row
SELECT c.leak FROM customers c
-- name: function as a field of a plain row
SELECT o.leak FROM orders o
-- name: function as a field in brackets
SELECT (o).leak FROM orders o
-- name: function as a field of a sub-query's row
SELECT (SELECT o FROM orders o LIMIT 1).leak
-- name: function as a field with its schema
SELECT public.orders.leak FROM public.orders
-- name: function as a field, hidden by a column elsewhere
SELECT o.leak FROM orders o WHERE EXISTS (SELECT o.leak FROM peek_at AS o)
-- name: function of any type as a field of a sub-query
SELECT o.any_mail FROM (SELECT * FROM orders) o WHERE EXISTS (SELECT o.any_mail FROM peek_at AS o)
-- name: function of any type as a field of a CTE
WITH o AS (SELECT * FROM orders) SELECT o.any_mail FROM o WHERE EXISTS (SELECT o.any_mail FROM peek_at AS o)
-- name: function of any type as a field of a function's row
SELECT o.any_mail FROM json_to_record('{}') AS o(a int) WHERE EXISTS (SELECT o.any_mail FROM peek_at AS o)
-- name: function of any type as a field of a join
SELECT o.any_mail FROM (orders CROSS JOIN notes) AS o(a) WHERE EXISTS (SELECT o.any_mail FROM peek_at AS o)
-- name: operator
SELECT id FROM orders WHERE id ~=~~ 'a'
-- name: operator with its schema
SELECT id FROM orders WHERE id OPERATOR(public.~=~~) 'a'
-- name: operator with ANY
SELECT 1 ~=~~ ANY (ARRAY['a', 'z'])
-- name: operator over a sub-query
SELECT 1 ~=~~ ANY (SELECT status FROM orders)
-- name: aggregate
SELECT every_mail(id) FROM orders
-- name: aggregate as a window function
SELECT every_mail(id) OVER () FROM orders
-- name: query to xml
SELECT query_to_xml('SELECT * FROM customers', true, false, '')
-- name: table to xml
SELECT table_to_xml('customers', true, false, '')
-- name: schema and database to xml
SELECT schema_to_xml('public', true, false, ''), database_to_xml(true, false, '')
-- name: cursor to xml
SELECT cursor_to_xml('c', 1, true, false, '')
-- name: ts_stat
SELECT * FROM ts_stat('SELECT to_tsvector(email) FROM customers')
-- name: ts_rewrite with a query
SELECT ts_rewrite('a'::tsquery, 'SELECT to_tsquery(''simple'', ''a''), to_tsquery(''simple'', left(email, 3)) FROM customers')
-- name: dynamic query in capitals with its schema
SELECT "pg_catalog".QUERY_TO_XML('SELECT email FROM customers', true, false, '')
-- name: dynamic function as a field
SELECT ('SELECT 1'::text).query_to_xml
-- name: large object import
SELECT lo_import('/etc/passwd')
-- name: large object from a value
SELECT lo_from_bytea(0, email::bytea) FROM customers
-- name: large object read
SELECT lo_get(1)
-- name: file read
SELECT pg_read_file('postgresql.conf')
-- name: binary file read
SELECT pg_read_binary_file('PG_VERSION')
-- name: directory listing
SELECT pg_ls_dir('base')
-- name: current query
SELECT current_query(), email FROM customers
-- name: setting that holds a value
SELECT set_config('my.value', email, false) FROM customers
-- then
SELECT current_setting('my.value')
-- name: notification of a value
SELECT pg_notify('channel', email) FROM customers
-- name: backend activity by function
SELECT * FROM pg_stat_get_activity(NULL)
-- name: statistics by function
SELECT pg_stat_get_live_tuples('customers'::regclass)
-- name: most common values by function
SELECT pg_mcv_list_items(NULL)
-- name: replication slot
SELECT pg_create_logical_replication_slot('x', 'test_decoding')
-- name: log message with a value
SELECT pg_logical_emit_message(true, 'x', email) FROM customers
-- name: dblink
SELECT * FROM dblink('dbname=x', 'SELECT email FROM customers') AS t(m text)
-- name: page inspection
SELECT get_raw_page('customers', 0)
-- name: unknown function
SELECT lookup_email(1)
