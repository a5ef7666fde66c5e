-- name: revenue by month
SELECT date_trunc('month', placed)::date AS month, sum(total) AS revenue, count(*) AS orders FROM orders GROUP BY 1 ORDER BY 1
-- name: growth month over month
WITH m AS (SELECT date_trunc('month', placed) AS month, sum(total) AS revenue FROM orders GROUP BY 1) SELECT month, revenue, round(100 * (revenue / lag(revenue) OVER (ORDER BY month) - 1), 1) AS growth FROM m ORDER BY month
-- name: running total
SELECT placed::date AS day, sum(sum(total)) OVER (ORDER BY placed::date) AS so_far FROM orders GROUP BY 1 ORDER BY 1
-- name: moving average
SELECT id, avg(total) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week FROM orders ORDER BY id
-- name: top customers by revenue
SELECT customer_id, sum(total) AS revenue, rank() OVER (ORDER BY sum(total) DESC) AS place FROM orders GROUP BY customer_id ORDER BY revenue DESC, customer_id LIMIT 10
-- name: top order of each customer
SELECT * FROM (SELECT customer_id, id, total, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC, id) AS n FROM orders) r WHERE n = 1 ORDER BY customer_id
-- name: top order of each customer, laterally
SELECT c.id, o.id AS order_id, o.total FROM customers c CROSS JOIN LATERAL (SELECT id, total FROM orders WHERE customer_id = c.id ORDER BY total DESC, id LIMIT 1) o ORDER BY c.id
-- name: customers without orders
SELECT c.id, c.city FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL ORDER BY c.id
-- name: cohorts by city
SELECT c.city, date_trunc('month', o.placed)::date AS month, count(DISTINCT c.id) AS customers FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.city, month ORDER BY 1, 2
-- name: share of each status
SELECT status, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS share FROM orders GROUP BY status ORDER BY status
-- name: pivot by filter
SELECT date_trunc('month', placed)::date AS month, count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'done') AS done FROM orders GROUP BY 1 ORDER BY 1
-- name: pivot by case
SELECT customer_id, sum(CASE WHEN status = 'open' THEN total ELSE 0 END) AS open, sum(CASE WHEN status = 'done' THEN total ELSE 0 END) AS done FROM orders GROUP BY customer_id ORDER BY customer_id
-- name: quartiles
SELECT percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY total) FROM orders
-- name: histogram
SELECT width_bucket(total, 0, 100, 10) AS bucket, count(*), min(total), max(total) FROM orders GROUP BY 1 ORDER BY 1
-- name: standard deviation and outliers
WITH s AS (SELECT avg(total) AS mean, stddev_samp(total) AS sd FROM orders) SELECT o.id, o.total FROM orders o, s WHERE abs(o.total - s.mean) > 1.5 * s.sd ORDER BY o.id
-- name: correlation
SELECT round(corr(o.total, i.amount)::numeric, 6), round(regr_slope(o.total, i.amount)::numeric, 6) FROM orders o JOIN order_items i ON i.order_id = o.id
-- name: basket pairs
SELECT a.product, b.product, count(*) FROM order_items a JOIN order_items b ON a.order_id = b.order_id AND a.product < b.product GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
-- name: products by amount
SELECT product, sum(amount) AS amount, dense_rank() OVER (ORDER BY sum(amount) DESC) AS place FROM order_items GROUP BY product ORDER BY place, product
-- name: rollup
SELECT COALESCE(status, 'all') AS status, COALESCE(to_char(placed, 'YYYY-MM'), 'all') AS month, sum(total) FROM orders GROUP BY ROLLUP (status, to_char(placed, 'YYYY-MM')) ORDER BY 1, 2
-- name: cube
SELECT status, customer_id % 2 AS parity, count(*), grouping(status, customer_id % 2) FROM orders GROUP BY CUBE (status, customer_id % 2) ORDER BY 4, 1, 2
-- name: grouping sets
SELECT status, customer_id, count(*) FROM orders GROUP BY GROUPING SETS ((status), (customer_id), ()) ORDER BY 1 NULLS LAST, 2 NULLS LAST
-- name: calendar with gaps filled
SELECT d::date AS day, COALESCE(sum(o.total), 0) AS total FROM generate_series(date '2026-01-01', date '2026-01-31', interval '1 day') d LEFT JOIN orders o ON o.placed::date = d::date GROUP BY d ORDER BY d
-- name: gaps between orders
SELECT id, placed - lag(placed) OVER (ORDER BY placed) AS since FROM orders ORDER BY id
-- name: islands
SELECT min(id), max(id), count(*) FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS grp FROM orders WHERE status = 'done') g GROUP BY grp ORDER BY 1
-- name: first and last value
SELECT DISTINCT customer_id, first_value(total) OVER w AS first, last_value(total) OVER w AS last FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY placed ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY customer_id
-- name: cumulative distribution
SELECT id, round(cume_dist() OVER (ORDER BY total)::numeric, 4), round(percent_rank() OVER (ORDER BY total)::numeric, 4) FROM orders ORDER BY id
-- name: recursion over a series
WITH RECURSIVE days AS (SELECT date '2026-01-01' AS d UNION ALL SELECT d + 1 FROM days WHERE d < date '2026-01-10') SELECT days.d, count(o.id) FROM days LEFT JOIN orders o ON o.placed::date = days.d GROUP BY days.d ORDER BY days.d
-- name: several measures in one row
SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM customers) AS customers, (SELECT sum(amount) FROM order_items) AS items
-- name: json report
SELECT json_build_object('status', status, 'orders', count(*), 'ids', json_agg(id ORDER BY id)) FROM orders GROUP BY status ORDER BY status
-- name: rows as json
SELECT json_agg(row_to_json(t)) FROM (SELECT id, status, total FROM orders ORDER BY id LIMIT 3) t
-- name: nested json
SELECT jsonb_agg(jsonb_build_object('id', o.id, 'items', (SELECT COALESCE(jsonb_agg(jsonb_build_object('product', i.product, 'amount', i.amount) ORDER BY i.line), '[]') FROM order_items i WHERE i.order_id = o.id)) ORDER BY o.id) FROM orders o WHERE o.id < 5
-- name: arrays
SELECT customer_id, array_agg(id ORDER BY id), array_length(array_agg(id), 1) FROM orders GROUP BY customer_id ORDER BY customer_id
-- name: unnest with ordinality
SELECT t.n, t.word FROM unnest(string_to_array('a,b,c', ',')) WITH ORDINALITY AS t(word, n) ORDER BY t.n
-- name: having with a sub-query
SELECT customer_id, sum(total) FROM orders GROUP BY customer_id HAVING sum(total) > (SELECT avg(s) FROM (SELECT sum(total) AS s FROM orders GROUP BY customer_id) x) ORDER BY 1
-- name: anti join by not exists
SELECT c.id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status = 'open') ORDER BY c.id
-- name: not in
SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE status = 'open') ORDER BY id
-- name: full join of two summaries
SELECT COALESCE(a.city, b.city) AS city, a.n, b.m FROM (SELECT city, count(*) AS n FROM customers WHERE plan = 'paid' GROUP BY city) a FULL JOIN (SELECT city, count(*) AS m FROM customers WHERE plan = 'free' GROUP BY city) b ON a.city = b.city ORDER BY 1
-- name: materialised CTE
WITH big AS MATERIALIZED (SELECT * FROM orders WHERE total > 30) SELECT status, count(*) FROM big GROUP BY status ORDER BY status
-- name: values as a table
SELECT v.label, count(o.id) FROM (VALUES ('small', 0, 30), ('middle', 30, 60), ('big', 60, 1000)) AS v(label, low, high) LEFT JOIN orders o ON o.total >= v.low AND o.total < v.high GROUP BY v.label ORDER BY v.label
-- name: fetch first with ties
SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id ORDER BY n DESC FETCH FIRST 3 ROWS WITH TIES
-- name: table by name
TABLE notes ORDER BY id
-- name: sample of everything
SELECT count(*) FROM orders TABLESAMPLE SYSTEM (100)
-- name: view over orders
SELECT customer_id, count(*) FROM open_orders GROUP BY customer_id ORDER BY customer_id
-- name: stored totals
SELECT customer_id, total FROM order_totals ORDER BY total DESC, customer_id LIMIT 5
-- name: text search
SELECT id FROM notes WHERE to_tsvector('english', body) @@ plainto_tsquery('english', 'note') ORDER BY id
-- name: regular expression groups
SELECT product, (regexp_match(product, '(\d+)$'))[1]::int AS number FROM order_items WHERE line < 10 ORDER BY line
-- name: time zones
SELECT id, placed AT TIME ZONE 'America/New_York' AS local, extract(isodow FROM placed) AS weekday FROM orders ORDER BY id LIMIT 5
-- name: ages
SELECT id, justify_days(age(timestamptz '2026-06-01Z', placed)) FROM orders ORDER BY id LIMIT 5
-- name: plan of a statement
-- masked: *
EXPLAIN SELECT * FROM orders WHERE id = 5
