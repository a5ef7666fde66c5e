-- name: two statements
-- expect: review
SELECT 1; DELETE FROM orders
-- name: two statements over lines
-- expect: review
SELECT 1
;
DELETE FROM orders;
-- name: second statement behind a quoted end
-- expect: review
SELECT ';'; DELETE FROM orders
-- name: second statement behind an escape
-- expect: review
SELECT '\'; DELETE FROM orders; --'
-- name: only a comment
-- expect: deny
-- nothing
-- name: empty
-- expect: deny

-- name: anonymous block
-- expect: deny
DO $$ BEGIN DELETE FROM orders; END $$
-- name: anonymous block in capitals with another quote
-- expect: deny
DO LANGUAGE plpgsql $body$ BEGIN EXECUTE 'DELETE FROM ' || 'orders'; END $body$
-- name: procedure
-- expect: deny
CALL clear_orders()
-- name: function that deletes
-- expect: deny
SELECT remove_orders()
-- name: function that deletes, in a filter
-- expect: deny
SELECT 1 WHERE remove_orders() = 1
-- name: function that deletes, in FROM
-- expect: deny
SELECT * FROM remove_orders()
-- name: function that deletes, in quotes and with a schema
-- expect: deny
SELECT "public"."remove_orders"()
-- name: function that deletes, in a keyed write
-- expect: deny
UPDATE notes SET body = remove_orders()::text WHERE id = 1
-- name: function that deletes, in a listed row
-- expect: deny
INSERT INTO notes VALUES (remove_orders(), 'x')
-- name: function that deletes, in RETURNING
-- expect: deny
DELETE FROM notes WHERE id = 1 RETURNING remove_orders()
-- name: function that deletes, in ORDER BY
-- expect: deny
SELECT id FROM notes ORDER BY remove_orders()
-- name: function that deletes, in a join
-- expect: deny
SELECT 1 FROM notes a JOIN notes b ON remove_orders() = 1
-- name: function that deletes, in a lateral
-- expect: deny
SELECT 1 FROM notes, LATERAL (SELECT remove_orders()) x
-- name: function that deletes, in a window
-- expect: deny
SELECT sum(id) OVER (ORDER BY remove_orders()) FROM notes
-- name: function that deletes, in a CASE
-- expect: deny
SELECT CASE WHEN false THEN 0 ELSE remove_orders() END
-- name: function that deletes, as an argument by name
-- expect: deny
SELECT make_interval(days => remove_orders())
-- name: function with rights of its owner
-- expect: deny
SELECT * FROM all_mail()
-- name: operator of this database
-- expect: deny
SELECT 1 ~=~~ 'a'
-- name: aggregate of this database
-- expect: deny
SELECT every_mail(1)
-- name: end another session
-- expect: deny
SELECT pg_terminate_backend(pg_backend_pid())
-- name: cancel another session
-- expect: deny
SELECT pg_cancel_backend(1)
-- name: set a setting by function
-- expect: deny
SELECT set_config('search_path', 'evil', false)
-- name: reload the configuration
-- expect: deny
SELECT pg_reload_conf()
-- name: rotate the log
-- expect: deny
SELECT pg_rotate_logfile()
-- name: move a sequence
-- expect: deny
SELECT setval('tickets', 1)
-- name: sleep
-- expect: deny
SELECT pg_sleep(10)
-- name: advisory lock
-- expect: deny
SELECT pg_advisory_lock(1)
-- name: notify
-- expect: deny
SELECT pg_notify('a', 'b')
-- name: dblink
-- expect: deny
SELECT dblink_exec('dbname=shop', 'DELETE FROM orders')
-- name: large object
-- expect: deny
SELECT lo_unlink(1)
-- name: import of a file
-- expect: deny
SELECT lo_import('/etc/passwd')
-- name: dynamic query
-- expect: deny
SELECT query_to_xml('DELETE FROM orders RETURNING 1', true, true, '')
-- name: read of a file
-- expect: deny
SELECT pg_read_file('/etc/passwd')
-- name: prepared
-- expect: review
PREPARE p AS DELETE FROM orders
-- name: execute
-- expect: deny
EXECUTE p
-- name: prepared and executed
-- expect: review
PREPARE p AS DELETE FROM orders; EXECUTE p
-- name: cursor that outlives its transaction
-- expect: deny
DECLARE c CURSOR WITH HOLD FOR SELECT 1
-- name: cursor that locks
-- expect: deny
DECLARE c CURSOR FOR SELECT pg_terminate_backend(pid) FROM pg_locks; FETCH ALL FROM c
-- name: cursor of nobody
-- expect: deny
FETCH ALL FROM c
-- name: commit in between
-- expect: deny
DELETE FROM orders; COMMIT; SELECT 1
-- name: read only, then not
-- expect: deny
BEGIN READ ONLY; DELETE FROM orders WHERE id = 1; COMMIT
-- name: another string syntax for what follows
-- expect: deny
SET standard_conforming_strings = off; SELECT '\'; DELETE FROM orders; --'
-- name: another path for what follows
-- expect: deny
SET search_path = nowhere; DELETE FROM orders WHERE id = 1
-- name: dropped under the name of another
-- expect: deny
CREATE TEMP TABLE t (id integer); DROP TABLE orders; ALTER TABLE t RENAME TO orders
-- name: copy from a program
-- expect: deny
COPY notes FROM PROGRAM 'id'
-- name: copy to a program
-- expect: deny
COPY (SELECT 1) TO PROGRAM 'sh'
-- name: copy from a file
-- expect: deny
COPY notes FROM '/etc/passwd'
-- name: copy in
-- expect: deny
COPY notes FROM STDIN
-- name: load a library
-- expect: deny
LOAD 'x'
-- name: begin
-- expect: deny
BEGIN
-- name: commit
-- expect: deny
COMMIT
-- name: prepare a transaction
-- expect: deny
PREPARE TRANSACTION 'x'
-- name: change the transaction's mode
-- expect: deny
SET TRANSACTION READ WRITE
-- name: set a role
-- expect: deny
SET ROLE postgres
-- name: reset all
-- expect: deny
RESET ALL
-- name: set the search path
-- expect: deny
SET search_path = evil
-- name: lock a table
-- expect: deny
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE
-- name: lock rows
-- expect: deny
SELECT * FROM orders FOR UPDATE
-- name: lock rows in a sub-query
-- expect: deny
SELECT * FROM (SELECT * FROM orders FOR NO KEY UPDATE) o
-- name: listen
-- expect: deny
LISTEN a
-- name: discard
-- expect: deny
DISCARD ALL
-- name: vacuum
-- expect: deny
VACUUM FULL orders
-- name: system setting
-- expect: deny
ALTER SYSTEM SET fsync = off
-- name: explain of an execute
-- expect: deny
EXPLAIN ANALYZE EXECUTE p
-- name: explain of a table from a query
-- expect: review
EXPLAIN ANALYZE CREATE TABLE copied AS SELECT 1
-- name: words that are not SQL
-- expect: deny
please delete all orders
