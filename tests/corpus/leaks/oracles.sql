-- name: filter by a prefix
SELECT id FROM customers WHERE email LIKE 'alder%'
-- name: filter by equality
SELECT id FROM customers WHERE email = 'alderqz.1@example.com'
-- name: filter by a regular expression
SELECT count(*) FROM customers WHERE email ~ '^a'
-- name: filter by order
SELECT id FROM customers WHERE name < 'B'
-- name: filter by length
SELECT id FROM customers WHERE length(email) > 21
-- name: filter by a date
SELECT id FROM customers WHERE born = '1961-03-14'
-- name: filter by month
SELECT id FROM customers WHERE extract(month FROM born) = 3
-- name: filter by a parameter
SELECT id FROM customers WHERE email LIKE $1
-- params: ["alder%"]
-- name: filter by IN
SELECT id FROM customers WHERE email IN ('alderqz.1@example.com', 'x')
-- name: filter by ANY
SELECT id FROM customers WHERE email = ANY (ARRAY['alderqz.1@example.com'])
-- name: filter by BETWEEN
SELECT id FROM customers WHERE email BETWEEN 'a' AND 'b'
-- name: filter by similarity to a pattern
SELECT id FROM customers WHERE email SIMILAR TO '(a|b)%'
-- name: filter by EXISTS
SELECT 1 WHERE EXISTS (SELECT FROM customers WHERE email LIKE 'alder%')
-- name: filter with a join to guesses
SELECT c.id FROM customers c JOIN guesses g ON c.email = g.email
-- name: join of two masked columns
SELECT count(*) FROM customers a JOIN customers b ON a.email < b.name
-- name: natural join with guesses
SELECT count(*) FROM customers NATURAL JOIN guesses
-- name: join using with guesses
SELECT id FROM customers JOIN guesses USING (email)
-- name: anti-join
SELECT id FROM customers WHERE email NOT IN (SELECT email FROM guesses WHERE email IS NOT NULL)
-- name: row comparison
SELECT id FROM customers WHERE (name, email) > ('M', 'm')
-- name: row of the table compared
SELECT id FROM customers c WHERE c::text LIKE '%alder%'
-- name: order by a raw value
SELECT id FROM customers ORDER BY email, name
-- name: order by a position
SELECT email, id FROM customers ORDER BY 1 DESC LIMIT 3
-- name: order by with an operator
SELECT id FROM customers ORDER BY name USING >
-- name: smallest and largest
SELECT min(email), max(email), min(born), max(income) FROM customers
-- name: distinct count
SELECT count(DISTINCT email), count(DISTINCT length(name)) FROM customers
-- name: group and count
SELECT left(email, 1), count(*) FROM customers GROUP BY 1
-- name: having
SELECT city FROM customers GROUP BY city HAVING max(email) < 'b'
-- name: rank
SELECT id, rank() OVER (ORDER BY email), ntile(4) OVER (ORDER BY income) FROM customers
-- name: partition by
SELECT count(*) OVER (PARTITION BY substr(name, 1, 2)) FROM customers
-- name: window frame by value
SELECT sum(id) OVER (ORDER BY income RANGE BETWEEN 10000 PRECEDING AND CURRENT ROW) FROM customers
-- name: aggregate filter
SELECT count(*) FILTER (WHERE income > 100000) FROM customers
-- name: ordered-set aggregates
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY income), mode() WITHIN GROUP (ORDER BY email) FROM customers
-- name: sum and average
SELECT sum(income), avg(income), stddev(income), corr(id, income) FROM customers
-- name: bit by bit
SELECT bit_or(ascii(email)), bool_and(email > 'b') FROM customers
-- name: limit by a raw value
SELECT id FROM orders LIMIT (SELECT count(*) FROM customers WHERE email LIKE 'a%')
-- name: offset by a raw value
SELECT id FROM orders ORDER BY id OFFSET (SELECT ascii(email) % 10 FROM customers WHERE id = 1)
-- name: fetch with ties
SELECT id FROM customers ORDER BY left(email, 1) FETCH FIRST 1 ROW WITH TIES
-- name: series as long as a value
SELECT n FROM customers c, generate_series(1, length(c.email)) n WHERE c.id = 1
-- name: error by a cast to a number
SELECT email::integer FROM customers
-- name: error by a cast to a date
SELECT (name || phone)::date FROM customers WHERE id = 1
-- name: error by a cast to an enum
SELECT email::mood FROM customers
-- name: error by a cast to json
SELECT email::jsonb FROM customers
-- name: error by a cast to xml
SELECT ('<' || email)::xml FROM customers
-- name: error by a cast to a relation
SELECT email::regclass FROM customers
-- name: division by zero steered by a value
SELECT 1 / (CASE WHEN email LIKE 'alder%' THEN 0 ELSE 1 END) FROM customers WHERE id = 1
-- name: division by zero in a filter
SELECT id FROM customers WHERE 1 / (ascii(email) - 97) = 0
-- name: error steered by a sub-query
SELECT CASE WHEN (SELECT email FROM customers WHERE id = 1) > 'b' THEN 1 ELSE 1 / 0 END
-- name: several rows in a scalar sub-query
SELECT (SELECT id FROM orders WHERE id <= (SELECT CASE WHEN email LIKE 'a%' THEN 2 ELSE 1 END FROM customers WHERE id = 1))
-- name: overflow steered by a value
SELECT 2147483647 + (income % 10) FROM customers
-- name: invalid regular expression from a value
SELECT 'x' ~ ('(' || email) FROM customers
-- name: substring of negative length
SELECT substring('x' FROM 1 FOR ascii(email) - 98) FROM customers
-- name: array index from a value
SELECT (ARRAY[1, 2, 3])[ascii(email) - 96] FROM customers
-- name: time zone from a value
SELECT now() AT TIME ZONE email FROM customers
-- name: encoding from a value
SELECT convert_from('x', email) FROM customers
-- name: date from parts of values
SELECT make_date(2020, extract(day FROM born)::int, 31) FROM customers
-- name: explain of a masked read
EXPLAIN SELECT * FROM customers WHERE email = 'alderqz.1@example.com'
-- name: explain analyze of a masked read
EXPLAIN (ANALYZE, COSTS, TIMING OFF, SUMMARY OFF) SELECT * FROM customers WHERE email > 'b'
-- name: explain of a view
EXPLAIN (VERBOSE) SELECT * FROM customer_mail
-- name: explain of a write by a masked column
EXPLAIN UPDATE customers SET city = 'x' WHERE email LIKE 'alder%'
-- name: explain of a delete by a masked column
EXPLAIN (FORMAT JSON) DELETE FROM customers WHERE income < 50000
-- name: explain of a partition by a masked column
EXPLAIN SELECT * FROM events WHERE token = 'x'
-- name: generic plan
EXPLAIN (GENERIC_PLAN) SELECT * FROM customers WHERE email = $1
-- name: sleep steered by a value
SELECT pg_sleep(CASE WHEN email LIKE 'a%' THEN 1 ELSE 0 END) FROM customers
-- name: lock steered by a value
SELECT pg_advisory_lock(ascii(email)) FROM customers
-- name: sequence steered by a value
SELECT nextval('tickets') FROM customers WHERE email LIKE 'alder%'
-- name: size of values
SELECT pg_column_size(email), pg_column_size(c), octet_length(name), bit_length(phone) FROM customers c
-- name: type of values
SELECT pg_typeof(email), pg_typeof(c) FROM customers c
-- name: null test of a computed value
SELECT id FROM customers WHERE NULLIF(email, 'alderqz.1@example.com') IS NULL
-- name: is distinct from
SELECT id FROM customers WHERE email IS DISTINCT FROM 'alderqz.1@example.com'
-- name: full text match
SELECT id FROM customers WHERE to_tsvector('simple', email) @@ to_tsquery('simple', 'alderqz:*')
-- name: text range
SELECT id FROM customers WHERE starts_with(email, 'alder')
-- name: case with an implicit comparison
SELECT CASE email WHEN 'alderqz.1@example.com' THEN 1 ELSE 0 END FROM customers
-- name: soft errors of input
SELECT pg_input_is_valid(email, 'integer'), pg_input_error_info(substr(email, 1, 1), 'integer') FROM customers
