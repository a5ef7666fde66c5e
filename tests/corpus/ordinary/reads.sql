-- name: one
SELECT 1
-- name: values
VALUES (1, 'a'), (2, 'b')
-- name: by key with a parameter
-- params: [7]
SELECT id, total, status FROM orders WHERE id = $1
-- name: several parameters
-- params: ["open", 5, 2]
SELECT id FROM orders WHERE status = $1 ORDER BY id LIMIT $2 OFFSET $3
-- name: list as a parameter
-- params: [[1, 2, 3]]
SELECT id, status FROM orders WHERE id = ANY ($1::int[]) ORDER BY id
-- name: in a list
SELECT id FROM orders WHERE id IN (1, 2, 3) AND status NOT IN ('x', 'y') ORDER BY id
-- name: between and like
SELECT id FROM orders WHERE total BETWEEN 10 AND 20 AND status LIKE 'd%' AND status NOT ILIKE '%X%' ORDER BY id
-- name: null tests and distinct from
SELECT count(*) FROM orders WHERE note IS NULL AND status IS DISTINCT FROM 'x'
-- name: inner join
SELECT o.id, i.product FROM orders o JOIN order_items i ON i.order_id = o.id ORDER BY o.id, i.line
-- name: left join with an aggregate
SELECT o.id, count(i.line) AS lines FROM orders o LEFT JOIN order_items i ON i.order_id = o.id GROUP BY o.id ORDER BY o.id
-- name: group by the primary key alone
SELECT o.id, o.status, o.total, sum(i.amount) FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id ORDER BY o.id
-- name: join using
SELECT id, body, status FROM notes JOIN orders USING (id) ORDER BY id
-- name: natural join
SELECT id FROM notes NATURAL JOIN (SELECT id FROM orders) o ORDER BY id
-- name: cross join
SELECT a.id, b.id FROM notes a CROSS JOIN notes b ORDER BY 1, 2
-- name: comma join with a condition
SELECT o.id FROM orders o, notes n WHERE n.id = o.id ORDER BY 1
-- name: self join
SELECT a.id, b.id FROM orders a JOIN orders b ON b.id = a.id + 1 WHERE a.id < 5 ORDER BY 1
-- name: lateral
SELECT n.id, l.product FROM notes n, LATERAL (SELECT product FROM order_items i WHERE i.order_id = n.id ORDER BY line LIMIT 1) l ORDER BY 1
-- name: exists and not exists
SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = o.id) AND NOT EXISTS (SELECT FROM notes n WHERE n.id = o.id) ORDER BY id
-- name: scalar sub-query
SELECT id, (SELECT max(total) FROM orders) - total AS missing FROM orders ORDER BY id
-- name: in a sub-query
SELECT id FROM orders WHERE id IN (SELECT order_id FROM order_items WHERE amount > 3) ORDER BY id
-- name: aggregates
SELECT status, count(*), sum(total), avg(total), min(placed), max(placed), bool_or(total > 50) FROM orders GROUP BY status HAVING count(*) > 1 ORDER BY status
-- name: aggregate with filter and order
SELECT count(*) FILTER (WHERE status = 'open'), string_agg(status, ',' ORDER BY id), array_agg(DISTINCT status) FROM orders
-- name: ordered-set aggregates
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM orders
-- name: grouping sets
SELECT status, grouping(status), count(*) FROM orders GROUP BY ROLLUP (status) ORDER BY 2, 1
-- name: distinct
SELECT DISTINCT status FROM orders ORDER BY status
-- name: distinct on
SELECT DISTINCT ON (status) status, id FROM orders ORDER BY status, id DESC
-- name: window functions
SELECT id, row_number() OVER w, rank() OVER (PARTITION BY status ORDER BY total DESC), lag(total) OVER w, sum(total) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders WINDOW w AS (ORDER BY id) ORDER BY id
-- name: ntile and share
SELECT id, ntile(4) OVER (ORDER BY total), round(total / sum(total) OVER (), 4) FROM orders ORDER BY id
-- name: CTE
WITH recent AS (SELECT * FROM orders WHERE placed > '2026-02-01') SELECT status, count(*) FROM recent GROUP BY status ORDER BY 1
-- name: several CTEs
WITH a AS (SELECT id, total FROM orders), b AS (SELECT avg(total) AS mean FROM a) SELECT a.id FROM a, b WHERE a.total > b.mean ORDER BY 1
-- name: recursive CTE
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) FROM n
-- name: CTE named like a table
WITH orders AS (SELECT 1 AS id) SELECT id FROM orders
-- name: union, except, intersect
(SELECT id FROM orders EXCEPT SELECT id FROM notes) INTERSECT SELECT order_id FROM order_items ORDER BY 1
-- name: union all with a limit of its own
(SELECT id, status FROM orders ORDER BY id LIMIT 2) UNION ALL SELECT id, body FROM notes ORDER BY 1, 2
-- name: case
SELECT id, CASE WHEN total > 50 THEN 'big' WHEN total > 20 THEN 'middle' ELSE 'small' END, CASE status WHEN 'open' THEN 1 ELSE 0 END FROM orders ORDER BY id
-- name: coalesce and friends
SELECT COALESCE(note, 'none'), NULLIF(status, 'done'), GREATEST(id, 5), LEAST(total, 7) FROM orders ORDER BY id
-- name: text functions
SELECT upper(status), initcap(status), length(status), left(status, 2), trim(' x '), replace(status, 'o', '0'), split_part('a-b', '-', 2), lpad(id::text, 4, '0'), concat_ws(' ', id, status), position('e' IN status), substring(status FROM 2 FOR 2), overlay(status PLACING 'X' FROM 1), status || '!', format('%s-%s', id, status) FROM orders ORDER BY id
-- name: regular expressions
SELECT id FROM orders WHERE status ~ '^o' AND status !~* 'X' AND regexp_replace(status, '[aeiou]', '', 'g') <> '' AND status SIMILAR TO '(open|done)' ORDER BY id
-- name: dates
SELECT date_trunc('month', placed), extract(dow FROM placed), placed::date, placed + interval '1 day', to_char(placed, 'YYYY-MM'), date_part('week', placed), placed AT TIME ZONE 'Europe/Stockholm', make_date(2026, 1, 1), age('2026-03-01'::timestamptz, placed) FROM orders ORDER BY id
-- name: now
SELECT now() > '2020-01-01', current_date > '2020-01-01', localtimestamp IS NOT NULL
-- name: series of days
SELECT d::date, count(o.id) FROM generate_series('2026-01-01'::timestamptz, '2026-01-10', '1 day') AS d LEFT JOIN orders o ON o.placed::date = d::date GROUP BY 1 ORDER BY 1
-- name: date bins
SELECT date_bin('7 days', placed, '2026-01-01'), count(*) FROM orders GROUP BY 1 ORDER BY 1
-- name: numbers
SELECT round(total, 1), ceil(total), abs(-total), mod(id, 7), id % 7, power(id, 2), sqrt(total), trunc(total), width_bucket(total, 0, 100, 5) FROM orders ORDER BY id
-- name: json building
SELECT jsonb_build_object('id', id, 'items', (SELECT json_agg(i ORDER BY i.line) FROM order_items i WHERE i.order_id = o.id)) FROM orders o ORDER BY id
-- name: json reading
SELECT '{"a": {"b": [1, 2]}}'::jsonb #> '{a,b}', '{"a": 1}'::jsonb -> 'a', '{"a": 1}'::json ->> 'a', '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb @> '{"a": 1}'
-- name: json expansion
SELECT k, v FROM jsonb_each_text('{"a": 1, "b": 2}') AS x(k, v) ORDER BY 1
-- name: json records
SELECT * FROM jsonb_to_recordset('[{"a": 1, "b": "x"}]') AS r(a int, b text)
-- name: json paths
SELECT jsonb_path_query_array('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)')
-- name: whole row as json
SELECT row_to_json(o) FROM orders o WHERE id = 1
-- name: arrays
SELECT ARRAY[1, 2] || 3, (ARRAY['a', 'b'])[1], array_length(ARRAY[1, 2], 1), 1 = ANY (ARRAY[1, 2]), unnest(ARRAY[1, 2])
-- name: unnest with ordinality
SELECT u.v, u.n FROM unnest(ARRAY['a', 'b']) WITH ORDINALITY AS u(v, n) ORDER BY n
-- name: ranges
SELECT int4range(1, 5) @> 3, daterange('2026-01-01', '2026-02-01') && daterange('2026-01-15', '2026-03-01')
-- name: full text search
SELECT id FROM notes WHERE to_tsvector('english', body) @@ plainto_tsquery('english', 'note') ORDER BY id
-- name: casts
SELECT '1'::int, CAST('2026-01-01' AS date), 1::text, '1.5'::numeric(4, 2), 'f'::boolean, total::float8 FROM orders WHERE id = 1
-- name: row comparison
SELECT id FROM orders WHERE (total, id) > (30, 10) ORDER BY total, id LIMIT 5
-- name: keyset page
-- params: ["2026-02-01", 10]
SELECT id, placed FROM orders WHERE (placed, id) < ($1::timestamptz, $2) ORDER BY placed DESC, id DESC LIMIT 5
-- name: fetch first
SELECT id FROM orders ORDER BY total DESC FETCH FIRST 3 ROWS ONLY
-- name: order with nulls and collation
SELECT status FROM orders ORDER BY note NULLS FIRST, status COLLATE "C" DESC, id
-- name: quoted names and comments
SELECT "o"."id" /* key */ AS "The Id" FROM "public"."orders" AS "o" -- all
WHERE "o"."id" = 1;
-- name: table command
TABLE notes
-- name: view of plain columns
SELECT * FROM open_orders ORDER BY id
-- name: materialised view of plain columns
SELECT * FROM order_totals ORDER BY customer_id
-- name: schema-qualified column
SELECT public.orders.id FROM public.orders ORDER BY 1 LIMIT 3
-- name: sampling everything
SELECT count(*) FROM orders TABLESAMPLE SYSTEM (100)
-- name: explain
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE id = 1
-- name: hash and encoding
SELECT md5(status), encode(sha256('x'), 'hex'), encode('x', 'base64') FROM orders WHERE id = 1
-- name: uuid and random are not errors
SELECT gen_random_uuid() IS NOT NULL, random() < 1
-- name: version and database
SELECT version() LIKE 'PostgreSQL%', current_database() IS NOT NULL, current_user IS NOT NULL
-- name: enum
SELECT 'sad'::mood < 'glad'::mood, enum_range(NULL::mood)
-- name: long list of conditions
SELECT id FROM orders WHERE id = 1 OR id = 2 OR id = 3 OR (status = 'open' AND total > 5) OR (status = 'done' AND total < 3) ORDER BY id
-- name: object-relational mapper's page
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status" FROM "orders" INNER JOIN "order_items" ON ("orders"."id" = "order_items"."order_id") WHERE ("order_items"."amount" >= 2 AND NOT ("orders"."status" = 'x' AND "orders"."status" IS NOT NULL)) ORDER BY "orders"."id" ASC LIMIT 21
-- name: object-relational mapper's exists
SELECT 1 AS "a" FROM "orders" WHERE "orders"."id" = 1 LIMIT 1
-- name: object-relational mapper's count
SELECT COUNT(*) FROM (SELECT DISTINCT "orders"."status" AS "col1" FROM "orders") subquery
-- name: anonymous sub-query
SELECT count(*) AS count_1 FROM (SELECT orders.id AS orders_id FROM orders WHERE orders.status = 'open') AS anon_1
