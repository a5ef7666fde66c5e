-- name: plain column
SELECT email, name, phone, born, income FROM customers
-- name: all columns
SELECT * FROM customers
-- name: column under another name
SELECT email AS city FROM customers
-- name: column list of an alias
SELECT c.c3 FROM customers AS c(c1, c2, c3)
-- name: whole row
SELECT c FROM customers c
-- name: whole row as text
SELECT c::text FROM customers c
-- name: whole row under the relation's own name
SELECT customers FROM customers
-- name: whole row as json
SELECT row_to_json(c) FROM customers c
-- name: whole row as jsonb
SELECT to_jsonb(c) -> 'email' FROM customers c
-- name: whole row taken apart
SELECT (c).* FROM customers c
-- name: field of a whole row
SELECT (c).email FROM customers c
-- name: field of a row from a sub-query
SELECT (SELECT c FROM customers c WHERE id = 1)::text
-- name: rows in an array
SELECT array_agg(c) FROM customers c
-- name: rows in a json array
SELECT json_agg(c) FROM customers c
-- name: json object constructor
SELECT JSON_OBJECT('mail' VALUE email, 'card' VALUE (SELECT number FROM cards WHERE customer_id = c.id)) FROM customers c
-- name: json array of a query
SELECT JSON_ARRAY(SELECT email FROM customers)
-- name: json table over rows
SELECT t.* FROM customers c, JSON_TABLE(to_jsonb(c), '$' COLUMNS (mail text PATH '$.email')) AS t
-- name: json object aggregate
SELECT json_object_agg(id, email) FROM customers
-- name: populate a record from a row
SELECT jsonb_populate_record(NULL::customers, to_jsonb(c)) FROM customers c
-- name: json each over rows
SELECT e.* FROM customers c, LATERAL jsonb_each_text(to_jsonb(c)) e
-- name: xml forest
SELECT xmlforest(email, phone) FROM customers
-- name: xml element of a row
SELECT xmlelement(name person, c::text) FROM customers c
-- name: xml aggregate
SELECT xmlagg(xmlelement(name mail, email)) FROM customers
-- name: string aggregate
SELECT string_agg(email, ',' ORDER BY email) FROM customers
-- name: concatenation
SELECT 'x' || email || born FROM customers
-- name: format
SELECT format('%s %s', name, c) FROM customers c
-- name: encoded
SELECT encode(convert_to(email, 'UTF8'), 'hex') FROM customers
-- name: hashed
SELECT md5(email), sha256(email::bytea) FROM customers
-- name: letter by letter
SELECT substr(email, 1, 1), ascii(email), reverse(email) FROM customers
-- name: split to rows
SELECT regexp_split_to_table(email, '') FROM customers
-- name: unnest an array of values
SELECT unnest(ARRAY[email, phone]) FROM customers
-- name: set-returning function in FROM
SELECT f FROM customers c, regexp_split_to_table(c.email, '@') f
-- name: lateral sub-query
SELECT l.m FROM customers c, LATERAL (SELECT c.email AS m) l
-- name: rows from several functions
SELECT * FROM customers c, ROWS FROM (unnest(ARRAY[c.email]), unnest(ARRAY[c.phone])) AS r(a, b)
-- name: natural join
SELECT * FROM customers NATURAL JOIN (SELECT id FROM orders) o
-- name: join using
SELECT email FROM customers JOIN (SELECT 1 AS id) x USING (id)
-- name: join alias
SELECT j FROM (customers c JOIN cards d ON d.customer_id = c.id) AS j(a)
-- name: merged join row
SELECT j FROM (customers c JOIN cards d USING (id)) AS j
-- name: self join
SELECT a.email, b.email FROM customers a JOIN customers b ON a.id = b.id + 1
-- name: table command
TABLE customers
-- name: table command in a CTE
WITH c AS (TABLE customers) SELECT * FROM c
-- name: table sample
SELECT * FROM customers TABLESAMPLE SYSTEM (100)
-- name: table sample with an alias
SELECT c.email FROM customers AS c TABLESAMPLE BERNOULLI (100) REPEATABLE (1)
-- name: only
SELECT * FROM ONLY customers
-- name: only in brackets
SELECT * FROM ONLY (customers)
-- name: old star after the name
SELECT * FROM customers *
-- name: for update
SELECT email FROM customers FOR UPDATE
-- name: for share of an alias, skip locked
SELECT email FROM customers c FOR SHARE OF c SKIP LOCKED
-- name: case by value
SELECT CASE WHEN true THEN email END FROM customers
-- name: coalesce and nullif
SELECT COALESCE(NULLIF(email, ''), phone), GREATEST(email, phone) FROM customers
-- name: cast of the whole row to its own type
SELECT (c::customers).email FROM customers c
-- name: system columns
SELECT *, ctid, tableoid::regclass, cmin, cmax FROM customers
-- name: row constructor
SELECT ROW(c.*), ROW(email) FROM customers c
-- name: array subscript
SELECT (ARRAY[email])[1] FROM customers
-- name: window value
SELECT first_value(email) OVER (ORDER BY id), lag(phone) OVER (ORDER BY id) FROM customers
-- name: values list with a sub-query
VALUES ((SELECT email FROM customers WHERE id = 1))
-- name: scalar sub-query in LIMIT
SELECT 1 LIMIT (SELECT length(email) FROM customers WHERE id = 1)
-- name: in a parameter's company
SELECT $1::text || email FROM customers
-- params: ["x"]
-- name: grouping sets
SELECT email, count(*) FROM customers GROUP BY GROUPING SETS ((email), ())
-- name: distinct on
SELECT DISTINCT ON (city) email FROM customers ORDER BY city, email
-- name: column of a composite from a values alias
SELECT v.c FROM (VALUES (1)) AS w(n), LATERAL (SELECT c FROM customers c WHERE c.id = w.n) v
-- name: schema-qualified column
SELECT public.customers.email FROM public.customers
-- name: schema-qualified star
SELECT public.customers.* FROM public.customers
-- name: column as a function of its row
SELECT email(customers) FROM customers
-- name: type-named column as a function of its row
SELECT name(customers) FROM customers
