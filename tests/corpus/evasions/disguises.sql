-- name: comment before the verb, without a space
-- expect: review
/*x*/DELETE/*x*/FROM/*x*/orders
-- name: nested comments before the verb
-- expect: review
/* a /* b */ SELECT 1; */ DELETE FROM orders
-- name: verb in mixed case over lines
-- expect: review
dElEtE
	FROM
	orders
-- name: verb after an unusual space
-- expect: review
DELETE	FROM"orders"
-- name: unicode name of the target
-- expect: review
DELETE FROM U&"\006Frders"
-- name: unicode name with an escape of its own
-- expect: review
DELETE FROM U&"!006Frders" UESCAPE '!'
-- name: condition in an escape string that ends early elsewhere
-- expect: review
DELETE FROM orders WHERE E'\' OR 1=1 --' IS NOT NULL
-- name: condition in an escape string
-- expect: review
DELETE FROM orders WHERE status <> E'\x78'
-- name: condition in a dollar quote that looks like a key
-- expect: review
DELETE FROM orders WHERE $a$id = 1$a$ <> ''
-- name: condition in a bit string
-- expect: review
DELETE FROM orders WHERE B'1' = B'1'
-- name: condition in a national string
-- expect: review
DELETE FROM orders WHERE N'a' = N'a'
-- name: strings that a line break joins
-- expect: review
DELETE FROM orders WHERE 'a'
'b' = 'ab'
-- name: where true in brackets
-- expect: review
DELETE FROM orders WHERE (((true)))
-- name: where true by a cast
-- expect: review
DELETE FROM orders WHERE 't'::boolean
-- name: where true by a comparison of rows
-- expect: review
DELETE FROM orders WHERE (1, 2) = (1, 2)
-- name: where true by a list
-- expect: review
DELETE FROM orders WHERE id IN (SELECT id FROM orders)
-- name: where true by an operator's function
-- expect: review
DELETE FROM orders WHERE int4eq(1, 1)
-- name: key in one branch of an OR
-- expect: review
DELETE FROM orders WHERE id = 1 OR id = id
-- name: key under a NOT
-- expect: review
DELETE FROM orders WHERE NOT (id = 1)
-- name: key by an operator that is not equality
-- expect: review
DELETE FROM orders WHERE id <> -1
-- name: key compared with every key
-- expect: review
DELETE FROM orders WHERE id = ANY (SELECT id FROM orders)
-- name: key compared with a generated series
-- expect: review
DELETE FROM orders WHERE id = ANY (ARRAY(SELECT generate_series(1, 1000)))
-- name: delete with a USING that is a series
-- expect: review
DELETE FROM orders o USING generate_series(1, 100) g WHERE o.id = g
-- name: delete in a CTE that only its count shows
-- expect: review
WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM gone
-- name: delete in a CTE of an EXISTS
-- expect: review
WITH gone AS (DELETE FROM orders RETURNING id) SELECT 1 WHERE EXISTS (SELECT FROM gone)
-- name: delete in a materialised CTE
-- expect: review
WITH gone AS MATERIALIZED (DELETE FROM orders RETURNING *) SELECT 1
-- name: delete in the CTE of a table definition
-- expect: deny|review
CREATE TABLE x AS WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone
-- name: update in a CTE beside a harmless read
-- expect: review
WITH u AS (UPDATE orders SET status = 'x') SELECT 1
-- name: function that deletes, laterally joined
-- expect: deny
SELECT * FROM notes n CROSS JOIN LATERAL remove_orders() r
-- name: function that deletes, in ROWS FROM
-- expect: deny
SELECT * FROM ROWS FROM (remove_orders(), generate_series(1, 2)) r
-- name: function that deletes, under an alias of a column
-- expect: deny
SELECT (remove_orders()) AS id FROM notes LIMIT 0
-- name: function that deletes, with a unicode name
-- expect: deny
SELECT U&"remove\005Forders"()
-- name: function that deletes, in VALUES
-- expect: deny
VALUES (remove_orders())
-- name: function that deletes, in LIMIT
-- expect: deny
SELECT 1 LIMIT remove_orders()
-- name: function that deletes, in a CASE that is not taken
-- expect: deny
SELECT CASE WHEN false THEN remove_orders() ELSE 0 END
-- name: function that deletes, in a frame
-- expect: deny
SELECT sum(id) OVER (ORDER BY id ROWS remove_orders() PRECEDING) FROM notes
-- name: second statement after a harmless one
-- expect: review
SELECT 1; DELETE FROM orders
-- name: drop after a harmless one
-- expect: deny
SELECT 1; DROP TABLE orders
-- name: delete inside a transaction of the text's own
-- expect: review
BEGIN; DELETE FROM orders; COMMIT
-- name: commit in the middle
-- expect: deny
SELECT 1; COMMIT; DELETE FROM orders
-- name: another search path before the delete
-- expect: review|deny
SET search_path = pg_temp, public; DELETE FROM orders
-- name: prepared delete
-- expect: review|deny
PREPARE gone AS DELETE FROM orders; EXECUTE gone
-- name: another role before the delete
-- expect: deny
SET ROLE postgres; DELETE FROM orders
-- name: triggers and foreign keys off before the delete
-- expect: deny|review
SET session_replication_role = replica; DELETE FROM orders
-- name: pseudonym key set by hand
-- expect: deny|review
SET countersign.pseudonym_inner = 'x'; SELECT 1
-- name: string syntax changed before a literal
-- expect: deny
SET standard_conforming_strings = off; SELECT '\'; DELETE FROM orders; --'
-- name: copy into a table
-- expect: review|deny
COPY orders FROM STDIN
-- name: copy from a program
-- expect: deny
COPY notes FROM PROGRAM 'true'
-- name: copy to a file
-- expect: deny
COPY notes TO '/tmp/countersign-notes'
-- name: copy of what a delete returns
-- expect: review|deny
COPY (DELETE FROM orders RETURNING *) TO STDOUT
-- name: prepared statement that a new search path makes mean something else
-- expect: deny
PREPARE p AS SELECT * FROM notes; SET search_path = ''; EXECUTE p
-- name: prepared statement that a set_config makes mean something else
-- expect: deny
PREPARE p AS SELECT * FROM notes; SELECT set_config('search_path', '', true); EXECUTE p
-- name: prepared statement over a name that becomes a view of raw values
-- expect: deny
CREATE TEMP TABLE a (x text);
PREPARE p AS TABLE a;
ALTER TABLE a RENAME TO b;
CREATE TEMP VIEW a AS SELECT email AS x FROM customers;
EXECUTE p
-- name: prepared statement over a view that is replaced
-- expect: deny
CREATE TEMP VIEW a AS SELECT city AS x FROM customers;
PREPARE p AS TABLE a;
CREATE OR REPLACE TEMP VIEW a AS SELECT email AS x FROM customers;
EXECUTE p
-- name: cursor whose function is read under another search path
-- expect: deny
DECLARE c CURSOR FOR SELECT raw_email(1); SET search_path = ''; FETCH c
