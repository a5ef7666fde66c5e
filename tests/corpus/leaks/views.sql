-- name: view
SELECT * FROM customer_mail
-- name: view over a view
SELECT address, size FROM mail_domains
-- name: view with a filter on a masked column
SELECT id FROM rich
-- name: view that groups by a masked column
SELECT * FROM grouped
-- name: view with a union
SELECT text FROM both_kinds ORDER BY id
-- name: view with a semi-join
SELECT shown FROM by_function
-- name: filter on a view
SELECT count(*) FROM customer_mail WHERE mail LIKE 'alder%'
-- name: whole row of a view
SELECT v::text FROM mail_domains v
-- name: view in a CTE named like its table
WITH customers AS (SELECT 1 AS id) SELECT mail FROM customer_mail
-- name: view joined with its table
SELECT v.mail, c.email FROM customer_mail v JOIN customers c USING (id)
-- name: view with column aliases
SELECT m FROM customer_mail AS v(i, m, c)
-- name: view with its schema in the column
SELECT public.customer_mail.mail FROM public.customer_mail
-- name: view, table sample
SELECT * FROM customer_mail TABLESAMPLE SYSTEM (100)
-- name: view as a table command
TABLE mail_domains
-- name: materialised view
SELECT * FROM mail_store
-- name: materialised view, counted by a filter
SELECT count(*) FROM mail_store WHERE email < 'b'
-- name: materialised view inside a union
SELECT status FROM orders UNION ALL SELECT email FROM mail_store
-- name: view over a closed system view
SELECT * FROM statistics_of
-- name: view for update
SELECT * FROM customer_mail FOR UPDATE
-- name: write through a view
UPDATE customer_mail SET city = mail WHERE id = 1
-- name: write through a view, returned
UPDATE rich SET city = 'x' WHERE id = 1 RETURNING *
