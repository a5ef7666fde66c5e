-- name: plain read
-- verdict: allow
-- policies: read
SELECT id, total FROM orders
-- name: masked read
-- verdict: allow
-- masks: public.customers.email partial, public.customers.name redact
SELECT email, name FROM customers
-- name: masks below a view
-- verdict: allow
-- masks: public.customers.email partial
SELECT mail FROM customer_mail
-- name: masks of a parent in its child
-- verdict: allow
-- masks: public.staff.secret_name redact
SELECT * FROM staff
-- name: keyed update
-- verdict: allow
-- policies: write
UPDATE notes SET body = 'x' WHERE id = 1
-- name: mass update
-- verdict: review
-- policies: mass-write
UPDATE notes SET body = 'x'
-- name: mass delete in a CTE
-- verdict: review
-- policies: mass-write
WITH d AS (DELETE FROM notes RETURNING id) SELECT * FROM d
-- name: delete that cascades
-- verdict: review
-- policies: cascading-write
DELETE FROM orders WHERE id = 1
-- name: insert from a query
-- verdict: review
-- policies: mass-write
INSERT INTO guesses SELECT body FROM notes
-- name: write that a classified column steers
-- verdict: review
-- policies: sensitive-write
UPDATE customers SET city = 'x' WHERE id = 1 AND email LIKE 'a%'
-- name: new table
-- verdict: review
-- policies: definition-change
CREATE TABLE fresh (id integer)
-- name: grant
-- verdict: review
-- policies: privilege-change
GRANT SELECT ON notes TO PUBLIC
-- name: drop
-- verdict: deny
-- policies: drop
DROP TABLE notes
-- name: truncate
-- verdict: deny
-- policies: truncate
TRUNCATE notes
-- name: unknown relation
-- verdict: deny
-- policies: unread-statement
SELECT * FROM nowhere
-- name: code
-- verdict: deny
-- policies: opaque-code
DO $$ BEGIN END $$
-- name: file of the server
-- verdict: deny
-- policies: file-access
SELECT pg_read_file('/etc/passwd')
-- name: program on the server
-- verdict: deny
-- policies: program-execution
COPY notes FROM PROGRAM 'true'
-- name: plan over masks
-- verdict: deny
-- policies: explain-masked
EXPLAIN SELECT * FROM customers WHERE email LIKE 'a%'
-- name: strictest of several statements
-- verdict: deny
-- policies: drop
SELECT 1; DELETE FROM notes; DROP TABLE notes
-- name: commit of the text's own
-- verdict: deny
-- policies: transaction-control
SELECT 1; COMMIT; SELECT 2
-- name: maintenance
-- verdict: deny
-- policies: maintenance
VACUUM notes
-- name: a person sees the same masks
-- as: person
-- verdict: allow
-- masks: public.customers.email partial
SELECT email FROM customers
