-- name: copy into an unclassified column
UPDATE customers SET city = email WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy a whole row into an unclassified column
UPDATE customers c SET city = c::text WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy a field of the row
UPDATE customers c SET city = (c).email WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy by a function of the row
UPDATE customers SET city = name(customers) WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy through a sub-query
UPDATE customers SET city = (SELECT x.e FROM (SELECT customers.email) AS x(e)) WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy through a row assignment
UPDATE customers SET (city, plan) = (SELECT email, name) WHERE id = 1
-- then
SELECT city, plan FROM customers WHERE id = 1
-- name: copy through a row constructor
UPDATE customers SET (city, plan) = ROW (email, name) WHERE id = 1
-- then
SELECT city, plan FROM customers WHERE id = 1
-- name: copy into an array element
UPDATE customers SET tags[1] = email WHERE id = 1
-- then
SELECT tags FROM customers WHERE id = 1
-- name: copy into json
UPDATE customers SET profile = to_jsonb(customers) WHERE id = 1
-- then
SELECT profile FROM customers WHERE id = 1
-- name: copy with a schema-qualified column
UPDATE customers SET city = public.customers.email WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy beside another relation of that alias
UPDATE customers SET city = customers.email FROM orders AS o WHERE customers.id = 1 AND o.id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy a part of a value
UPDATE customers SET plan = left(email, 1) WHERE id = 1
-- then
SELECT plan FROM customers WHERE id = 1
-- name: copy a computed column
UPDATE accounts SET plain = iban_lower WHERE id = 1
-- then
SELECT plain, plain_upper FROM accounts WHERE id = 1
-- name: copy by self-join
UPDATE customers a SET city = b.email FROM customers b WHERE a.id = 1 AND b.id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy into another table from a masked one
UPDATE notes SET body = c.email FROM customers c WHERE notes.id = 1 AND c.id = 1
-- then
SELECT body FROM notes WHERE id = 1
-- name: copy into another table from a view
UPDATE notes SET body = v.mail FROM customer_mail v WHERE notes.id = 2 AND v.id = 1
-- then
SELECT body FROM notes WHERE id = 2
-- name: copy by insert and select
INSERT INTO notes (id, body) SELECT id + 100, email FROM customers
-- then
SELECT body FROM notes
-- name: copy by insert of one listed row
INSERT INTO notes VALUES (200, (SELECT email FROM customers WHERE id = 1))
-- then
SELECT body FROM notes WHERE id = 200
-- name: copy by insert, returned
INSERT INTO notes VALUES (201, (SELECT c::text FROM customers c WHERE id = 1)) RETURNING body
-- name: copy by upsert
INSERT INTO notes VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = (SELECT email FROM customers WHERE id = 1) RETURNING *
-- name: copy by upsert of the row itself
INSERT INTO customers (id, name, email) VALUES (1, 'x', 'nobody@example.org') ON CONFLICT (id) DO UPDATE SET city = customers.email
-- then
SELECT city FROM customers WHERE id = 1
-- name: copy by upsert, row by an alias
INSERT INTO customers AS c (id, name, email) VALUES (1, 'x', 'nobody@example.org') ON CONFLICT (id) DO UPDATE SET city = c.email
-- then
SELECT city FROM customers WHERE id = 1
-- name: upsert decided by a value
INSERT INTO customers (id, name, email) VALUES (1, 'x', 'nobody@example.org') ON CONFLICT (id) DO UPDATE SET city = 'hit' WHERE customers.email LIKE 'alder%'
-- name: conflict on a masked column
INSERT INTO customers (id, name, email) VALUES (9001, 'x', 'alderqz.1@example.com') ON CONFLICT (email) DO NOTHING
-- name: conflict on anything
INSERT INTO customers (id, name, email) VALUES (9002, 'x', 'alderqz.1@example.com') ON CONFLICT DO NOTHING
-- name: conflict on a constraint by name
INSERT INTO customers (id, name, email) VALUES (9003, 'x', 'alderqz.1@example.com') ON CONFLICT ON CONSTRAINT customers_email_key DO NOTHING
-- name: returning a masked column
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING email
-- name: returning everything
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING *
-- name: returning the row
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING customers
-- name: returning the row by its alias
UPDATE customers c SET city = 'x' WHERE id = 1 RETURNING c::text
-- name: returning a computation
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING length(email), email LIKE 'a%'
-- name: returning the old row
UPDATE customers SET email = 'nobody@example.org' WHERE id = 1 RETURNING old.email
-- name: returning the old row whole
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING old
-- name: returning the old row under another name
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING WITH (OLD AS before) before.email
-- name: returning the old row while a relation is called old elsewhere
UPDATE customers SET city = 'x' WHERE id = 1 AND EXISTS (SELECT FROM orders AS old) RETURNING old.email
-- name: returning the new row while a relation is called new elsewhere
UPDATE customers SET city = 'x' WHERE id = 1 AND EXISTS (SELECT FROM orders AS new) RETURNING new.email, new
-- name: returning the renamed row while a relation has that name elsewhere
UPDATE customers SET city = 'x' WHERE id = 1 AND EXISTS (SELECT FROM orders AS o) RETURNING WITH (OLD AS o) o.email
-- name: returning everything of the old row while a relation is called old elsewhere
DELETE FROM cards WHERE id = 1 AND EXISTS (SELECT FROM orders AS old) RETURNING old.*
-- name: returning through a sub-query
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING (SELECT customers.email)
-- name: returning a type-named column by a function
UPDATE customers SET city = 'x' WHERE id = 1 RETURNING name(customers)
-- name: returning in a CTE
WITH w AS (UPDATE customers SET city = 'x' WHERE id = 1 RETURNING *) SELECT email FROM w
-- name: returning a computed column
UPDATE accounts SET plain = 'x' WHERE id = 1 RETURNING iban_tail
-- name: returning from a partition
UPDATE events_a SET id = 1 WHERE id = 1 RETURNING token
-- name: delete and return
DELETE FROM cards WHERE id = 1 RETURNING number, cvv
-- name: delete decided by a value
DELETE FROM cards WHERE id = 1 AND number LIKE '4111%'
-- name: delete using a join on a value
DELETE FROM cards USING guesses g WHERE cards.id = 1 AND cards.number = g.email
-- name: update decided by a value
UPDATE customers SET city = 'hit' WHERE id = 1 AND email LIKE 'alder%'
-- name: update decided by the row
UPDATE customers SET city = 'hit' WHERE id = 1 AND customers::text LIKE '%alder%'
-- name: update of another table decided by a value
UPDATE notes SET body = 'hit' FROM customers c WHERE notes.id = 1 AND c.id = 1 AND c.email LIKE 'alder%'
-- name: update with a case on a value
UPDATE customers SET city = CASE WHEN email < 'b' THEN 'low' ELSE 'high' END WHERE id = 1
-- then
SELECT city FROM customers WHERE id = 1
-- name: write that fails by a value
UPDATE customers SET city = (1 / (ascii(email) - 97))::text WHERE id = 1
-- name: write that fails by a cast
UPDATE notes SET id = c.email::integer FROM customers c WHERE notes.id = 1 AND c.id = 1
-- name: merge
MERGE INTO customers c USING (SELECT 1 AS id) s ON c.id = s.id WHEN MATCHED THEN UPDATE SET city = c.email
-- then
SELECT city FROM customers WHERE id = 1
-- name: merge, returned
MERGE INTO customers c USING (SELECT 1 AS id) s ON c.id = s.id WHEN MATCHED THEN UPDATE SET city = 'x' RETURNING c.*
-- name: merge decided by a value
MERGE INTO notes n USING customers c ON n.id = c.id AND c.email LIKE 'alder%' WHEN MATCHED THEN UPDATE SET body = 'hit'
-- name: merge on a value
MERGE INTO customers c USING guesses g ON c.email = g.email WHEN MATCHED THEN DELETE
-- name: insert from the table into itself
INSERT INTO customers (id, name, email, city) SELECT id + 5000, name, email || id, email FROM customers
-- then
SELECT city FROM customers WHERE id > 5000
-- name: select into and read
SELECT id, email INTO copied FROM customers
-- then
SELECT email FROM copied
-- name: create table as and read
CREATE TABLE copied AS SELECT * FROM customers
-- then
SELECT * FROM copied
-- name: temporary copy and read
CREATE TEMP TABLE orders AS SELECT * FROM customers
-- then
SELECT * FROM orders
-- name: materialised copy and read
CREATE MATERIALIZED VIEW copied AS SELECT * FROM customers
-- then
SELECT * FROM copied
-- name: view and read
CREATE VIEW peek AS SELECT email AS e FROM customers
-- then
SELECT e FROM peek
-- name: view in a new schema
CREATE SCHEMA s CREATE VIEW peek AS SELECT email FROM public.customers
-- then
SELECT * FROM s.peek
-- name: renamed column
ALTER TABLE customers RENAME COLUMN email TO town
-- then
SELECT town FROM customers
-- name: renamed table
ALTER TABLE customers RENAME TO people_of_town
-- then
SELECT * FROM people_of_town
-- name: moved table
ALTER TABLE customers SET SCHEMA s
-- name: computed column
ALTER TABLE customers ADD COLUMN e text GENERATED ALWAYS AS (email) STORED
-- then
SELECT e FROM customers
-- name: type changed using a value
ALTER TABLE customers ALTER COLUMN city TYPE text USING email
-- then
SELECT city FROM customers
-- name: check that fails by a value
ALTER TABLE customers ADD CHECK (email NOT LIKE 'alder%')
-- name: index that fails by a value
CREATE INDEX ON customers ((1 / (ascii(email) - 97)))
-- name: partial index by a value
CREATE INDEX ON customers (id) WHERE email LIKE 'alder%'
-- name: partition bound from a function
CREATE TABLE part PARTITION OF events FOR VALUES IN (raw_email(1))
-- name: default from a function
CREATE TABLE fresh (id integer, m text DEFAULT raw_email(1))
-- name: child that inherits
CREATE TABLE child () INHERITS (customers)
-- name: table like another
CREATE TABLE twin (LIKE customers INCLUDING ALL)
-- name: trigger
CREATE TRIGGER t BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION on_audited()
-- name: rule
CREATE RULE r AS ON UPDATE TO notes DO ALSO INSERT INTO guesses SELECT email FROM customers
-- name: function
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers LIMIT 1'
-- name: anonymous block
DO $$ BEGIN UPDATE customers SET city = email; END $$
-- name: call
CALL clear_orders()
-- name: copy out
COPY customers TO STDOUT
-- name: copy of a query
COPY (SELECT email FROM customers) TO STDOUT
-- name: copy to a file
COPY customers (email) TO '/tmp/out'
-- name: copy to a program
COPY (SELECT email FROM customers) TO PROGRAM 'cat'
-- name: prepared
PREPARE p AS SELECT email FROM customers
-- then
EXECUTE p
-- name: cursor
DECLARE c CURSOR WITH HOLD FOR SELECT email FROM customers
-- then
FETCH ALL FROM c
-- name: create table from a prepared statement
CREATE TABLE copied AS EXECUTE p
-- name: two statements
SELECT 1; SELECT email FROM customers
-- name: search path
SET search_path = pg_catalog
-- name: policy of rows by a value
CREATE POLICY p ON customers USING (email LIKE 'alder%')
-- name: comment with a value
COMMENT ON TABLE notes IS 'x'
-- name: analyze
ANALYZE customers (email)
-- name: rows moved into a new partition
CREATE TABLE part PARTITION OF events FOR VALUES IN ('zz'); UPDATE events SET kind = 'zz' WHERE id = 1; SELECT * FROM part
-- name: returning of a column generated in the same text
ALTER TABLE cards ADD COLUMN shown text GENERATED ALWAYS AS (number) STORED; UPDATE cards SET cvv = 'x' WHERE id = 1 RETURNING shown
-- name: plan of an update
EXPLAIN UPDATE customers SET city = 'x' WHERE id = 1 AND email LIKE 'alder%'
-- name: plan of a delete by key
EXPLAIN (ANALYZE) DELETE FROM cards WHERE id = 1 AND number LIKE '41%'
-- name: returning with rows named like other relations
UPDATE customers AS email SET city = 'x' WHERE id = 1 RETURNING WITH (OLD AS name, NEW AS phone) email.email, name.email, phone.*
-- name: returning of an outer column through a query
DELETE FROM cards WHERE id = 3 RETURNING (WITH q AS (SELECT cards.number) SELECT * FROM q)
-- name: copy of a returning
COPY (UPDATE customers SET city = 'x' WHERE id = 1 RETURNING *, old.email) TO STDOUT
-- name: prepared and then found elsewhere
SET search_path = public; PREPARE p AS SELECT email FROM customers; SET search_path = pg_catalog, public; EXECUTE p
