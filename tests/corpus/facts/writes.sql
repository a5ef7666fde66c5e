-- name: keyed update
-- kinds: write
-- relations: update public.notes, read public.notes
-- by-key: yes
UPDATE notes SET body = 'x' WHERE id = 1
-- name: update without a condition
-- hazards: update-without-where
-- by-key: no
UPDATE notes SET body = 'x'
-- name: delete where true
-- hazards: always-true-where
-- by-key: no
DELETE FROM notes WHERE true
-- name: comment before the verb
-- kinds: write
-- hazards: delete-without-where
/*x*/DELETE FROM notes
-- name: listed rows
-- kinds: write
-- relations: insert public.notes
-- rows-inserted: 2
INSERT INTO notes VALUES (1, 'a'), (2, 'b')
-- name: rows from a query
-- relations: insert public.guesses, read public.notes
-- rows-inserted: many
INSERT INTO guesses SELECT body FROM notes
-- name: cascade of a foreign key
-- hazards: cascade
-- relations: delete public.order_items, delete public.orders, read public.orders
DELETE FROM orders WHERE id = 1
-- name: trigger
-- hazards: fires-trigger
UPDATE audited SET body = 'x' WHERE id = 1
-- name: drop
-- kinds: ddl
-- hazards: drop
DROP TABLE notes
-- name: truncate
-- hazards: truncate
TRUNCATE notes
-- name: privileges
-- kinds: privilege
-- hazards: privilege-change
GRANT SELECT ON notes TO PUBLIC
-- name: program
-- hazards: program-execution
COPY notes FROM PROGRAM 'true'
-- name: several statements
-- kinds: read, write
-- statements: 2
-- hazards: delete-without-where
SELECT 1; DELETE FROM notes
