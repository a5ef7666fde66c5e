-- name: alias, another name for a column
SELECT email AS city, phone AS id FROM customers
-- name: alias, renamed in a sub-query and again outside
SELECT x.a AS b FROM (SELECT email AS a FROM customers) x
-- name: alias, of an expression that changes nothing
SELECT email || '' AS e, (email) AS f, (SELECT email) AS g FROM customers
-- name: row_to_json of an alias
SELECT row_to_json(x) FROM customers AS x
-- name: row_to_json of a sub-query under other names
SELECT row_to_json(x) FROM (SELECT email AS a, phone AS b FROM customers) x
-- name: to_json of an array of rows
SELECT to_json(array_agg(c)) FROM customers c
-- name: view with the column under another name
SELECT mail FROM customer_mail
-- name: view joined with another view of the same column
SELECT a.mail, b.address FROM customer_mail a JOIN mail_domains b USING (id)
-- name: UNION inside a sub-query
SELECT * FROM (SELECT city FROM customers UNION ALL SELECT email FROM customers) x
-- name: UNION inside a sub-query of an IN
SELECT id FROM customers WHERE city IN (SELECT city FROM customers UNION SELECT email FROM customers)
-- name: UNION of constants and a masked column inside a CTE
WITH x AS (SELECT 'a' AS v UNION SELECT name FROM customers) SELECT max(v), min(v), count(*) FROM x
-- name: EXCEPT that removes what is masked
SELECT count(*) FROM (SELECT 'alderqz.1@example.com' EXCEPT SELECT email FROM customers) x
-- name: INTERSECT as an oracle
SELECT 'zz.birchvkx1@example.com' INTERSECT SELECT email FROM customers
-- name: recursive CTE that begins with a masked column
WITH RECURSIVE r(v, n) AS (SELECT email, 1 FROM customers UNION ALL SELECT substr(v, 2), n + 1 FROM r WHERE n < 8) SELECT * FROM r
-- name: recursive CTE that joins in its step
WITH RECURSIVE r(id, v) AS (SELECT 1, '' UNION ALL SELECT r.id + 1, c.email FROM r JOIN customers c ON c.id = r.id WHERE r.id < 5) SELECT * FROM r
-- name: recursive CTE that counts letters
WITH RECURSIVE r(v) AS (SELECT name FROM customers WHERE id = 1 UNION SELECT left(v, -1) FROM r WHERE length(v) > 0) SELECT count(*) FROM r
-- name: star and ctid
SELECT *, ctid FROM customers
-- name: star, tableoid and a system column of the row version
SELECT tableoid::regclass, cmin, * FROM customers
-- name: row by its ctid
SELECT * FROM customers WHERE ctid = '(0,1)'
-- name: COPY of the relation
COPY customers TO STDOUT
-- name: COPY of its columns
COPY customers (id, email) TO STDOUT WITH (FORMAT csv, HEADER)
-- name: COPY of a query
COPY (SELECT email FROM customers) TO STDOUT
-- name: COPY of a view's query
COPY (SELECT * FROM mail_domains) TO STDOUT (DELIMITER '|')
-- name: RETURNING the masked column
UPDATE customers SET city = city WHERE id = 1 RETURNING email
-- name: RETURNING everything
UPDATE customers SET city = city WHERE id = 1 RETURNING *
-- name: RETURNING an expression over it
UPDATE customers SET city = city WHERE id = 1 RETURNING upper(email) AS city
-- name: RETURNING through a CTE
WITH u AS (UPDATE customers SET city = city WHERE id = 1 RETURNING *) SELECT row_to_json(u) FROM u
-- name: error text of a cast
SELECT email::int FROM customers
-- name: error text of a cast inside a filter
SELECT 1 FROM customers WHERE phone::date > now()
-- name: error text of a regular expression
SELECT 'a' ~ ('(' || name) FROM customers
-- name: error text of an enum
SELECT name::mood FROM customers
-- name: error as an oracle
SELECT CASE WHEN email LIKE 'a%' THEN 1 / 0 ELSE 1 END FROM customers
-- name: pg_stats by its schema
SELECT * FROM pg_catalog.pg_stats WHERE tablename = 'customers'
-- name: pg_stats, only the common values
SELECT most_common_vals::text FROM pg_catalog.pg_stats WHERE attname = 'email'
-- name: pg_statistic itself
SELECT stavalues1::text FROM pg_statistic
-- name: pg_stats_ext and its expressions
SELECT * FROM pg_stats_ext, pg_stats_ext_exprs
-- name: filter as an oracle, letter by letter
SELECT count(*) FROM customers WHERE email LIKE 'alder%'
-- name: filter as an oracle, by bisection
SELECT id FROM customers WHERE email > 'm'
-- name: filter as an oracle, in a join
SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id AND c.name ~ '^A'
-- name: filter as an oracle, in HAVING
SELECT city FROM customers GROUP BY city HAVING max(email) > 'm'
-- name: filter as an oracle, in a FILTER
SELECT count(*) FILTER (WHERE income > 10200) FROM customers
-- name: filter as an oracle, by existence
SELECT EXISTS (SELECT 1 FROM customers WHERE phone = '+467012340101')
-- name: comment before the verb
/*x*/SELECT email FROM customers
-- name: masked column in an escape string's company
SELECT E'\'', email FROM customers WHERE 'a' = E'\x61'
-- name: several statements, the last one over masks
SELECT 1; SELECT email FROM customers
-- name: temporary copy and its reading
CREATE TEMP TABLE t AS SELECT email FROM customers; SELECT * FROM t
-- name: prepared and executed
PREPARE s AS SELECT email FROM customers; EXECUTE s
-- name: cursor and its rows
DECLARE c CURSOR FOR SELECT email FROM customers; FETCH ALL FROM c
-- name: plan with constants
EXPLAIN (VERBOSE, ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT * FROM customers WHERE email LIKE 'a%'
