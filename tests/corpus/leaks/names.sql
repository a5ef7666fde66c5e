-- name: CTE
WITH c AS (SELECT * FROM customers) SELECT email FROM c
-- name: CTE that is named like the table it reads
WITH customers AS (SELECT * FROM customers) SELECT * FROM customers
-- name: CTE named like the table, seen by a later one
WITH orders AS (SELECT email FROM customers), customers AS (SELECT * FROM orders) SELECT * FROM customers
-- name: CTE read before it is made
WITH a AS (SELECT * FROM customers), customers AS (SELECT 1 AS id) SELECT * FROM a
-- name: CTE name in capitals is not the table
WITH "CUSTOMERS" AS (SELECT 1 AS id) SELECT * FROM customers
-- name: unquoted capitals are the CTE
WITH Customers AS (SELECT email FROM public.customers) SELECT * FROM CUSTOMERS
-- name: schema goes round a CTE
WITH customers AS (SELECT 1 AS id) SELECT * FROM public.customers
-- name: CTE out of its scope
SELECT * FROM (WITH customers AS (SELECT 1 AS one) SELECT * FROM customers) x, customers
-- name: CTE in one branch of a union only
(WITH customers AS (SELECT 1 AS id, 'x' AS email) SELECT email FROM customers) UNION ALL SELECT email FROM customers
-- name: recursive CTE
WITH RECURSIVE r(id, mail) AS (SELECT id, email FROM customers WHERE id = 1 UNION ALL SELECT c.id, r.mail || c.email FROM r JOIN customers c ON c.id = r.id + 1) SELECT * FROM r
-- name: recursive CTE named like the table
WITH RECURSIVE customers AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM customers WHERE id < 3) SELECT c.email FROM customers x JOIN public.customers c USING (id)
-- name: recursive WITH, non-recursive shadow
WITH RECURSIVE other AS (SELECT email FROM customers), customers AS (SELECT 1 AS email) SELECT * FROM other
-- name: recursive with search and cycle
WITH RECURSIVE r AS (SELECT id, email FROM customers WHERE id = 1 UNION ALL SELECT r.id + 1, r.email FROM r WHERE r.id < 3) SEARCH DEPTH FIRST BY email SET sorted CYCLE id SET looped USING path SELECT * FROM r
-- name: CTE with a column list
WITH c(a, b, d) AS (SELECT id, city, email FROM customers) SELECT d FROM c
-- name: materialized CTE
WITH c AS MATERIALIZED (SELECT email FROM customers) SELECT * FROM c
-- name: CTE with a shadow inside a sub-query
SELECT (WITH customers AS (SELECT 'x' AS email) SELECT c.email FROM customers, public.customers c WHERE c.id = 1)
-- name: union
SELECT status FROM orders UNION SELECT email FROM customers
-- name: except inside a sub-query
SELECT * FROM (SELECT email FROM customers EXCEPT SELECT 'x') s
-- name: intersect all
SELECT email FROM customers INTERSECT ALL SELECT email FROM customers
-- name: nested unions
SELECT 'a' UNION ALL (SELECT 'b' UNION (SELECT phone FROM customers EXCEPT SELECT 'c'))
-- name: alias of another table's name
SELECT orders.email FROM customers AS orders
-- name: aliases crossed
SELECT customers.status, orders.email FROM orders AS customers, customers AS orders
-- name: quoted name
SELECT "email" FROM "public"."customers"
-- name: Unicode name
SELECT U&"\0065mail" FROM U&"\0063ustomers"
-- name: Unicode name with its own escape
SELECT email FROM U&"!0063ustomers" UESCAPE '!'
-- name: Unicode in front of everything
SELECT '😀€ä' AS "ß…", email FROM customers c WHERE '日本' <> email
-- name: comment between the parts of a name
SELECT email FROM public /* x */ . -- y
customers
-- name: comment that looks like an end
SELECT email /* ' */ FROM customers -- '
-- name: nested comments
SELECT /* /* */ FROM orders */ email FROM customers
-- name: dollar quotes that hold a statement
SELECT $x$ FROM orders $x$, email FROM customers
-- name: escape string before the table
SELECT E'\' FROM orders --' , email FROM customers
-- name: tabs and line ends
SELECT	email
FROM	
customers
-- name: database-qualified
SELECT email FROM postgres.public.customers
-- name: toast and index relations
SELECT * FROM pg_toast.pg_toast_2619
-- name: index as a relation
SELECT * FROM customers_email_key
-- name: temporary schema
SELECT * FROM pg_temp.customers
-- name: partition of a classified parent
SELECT * FROM events_a
-- name: classified parent of partitions
SELECT token FROM events WHERE kind = 'b'
-- name: default partition
SELECT e::text FROM events_rest e
-- name: child of a classified parent
SELECT secret_name, grade FROM staff
-- name: parent with its children
SELECT * FROM people
-- name: only the parent
SELECT * FROM ONLY people
-- name: stored column computed from a classified one
SELECT iban_lower FROM accounts
-- name: virtual column computed from a classified one
SELECT iban_tail FROM accounts
-- name: row with computed columns
SELECT a::text FROM accounts a
-- name: filter on a computed column
SELECT count(*) FROM accounts WHERE iban_lower LIKE 'se%'
