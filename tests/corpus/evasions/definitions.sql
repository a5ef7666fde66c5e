-- name: drop a table
-- expect: deny
DROP TABLE orders
-- name: drop in quotes and behind a comment
-- expect: deny
DROP/**/TABLE IF EXISTS "public"."orders" CASCADE
-- name: drop several
-- expect: deny
DROP TABLE notes, orders
-- name: drop a view
-- expect: deny
DROP VIEW open_orders
-- name: drop an index
-- expect: deny
DROP INDEX customers_email_key
-- name: drop a schema
-- expect: deny
DROP SCHEMA public CASCADE
-- name: drop a function
-- expect: deny
DROP FUNCTION raw_email(integer)
-- name: drop a column
-- expect: deny
ALTER TABLE orders DROP COLUMN total
-- name: drop a column beside a harmless change
-- expect: deny
ALTER TABLE orders ADD COLUMN x integer, DROP COLUMN IF EXISTS total CASCADE
-- name: drop the database
-- expect: deny
DROP DATABASE shop
-- name: drop what a role owns
-- expect: review | deny
DROP OWNED BY CURRENT_USER
-- name: truncate
-- expect: deny
TRUNCATE orders
-- name: truncate with all its words
-- expect: deny
TRUNCATE TABLE ONLY public.orders, notes RESTART IDENTITY CASCADE
-- name: grant
-- expect: review
GRANT ALL ON customers TO PUBLIC
-- name: grant on all tables
-- expect: review
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC
-- name: grant of a role
-- expect: review
GRANT pg_read_all_data TO CURRENT_USER
-- name: revoke
-- expect: review
REVOKE SELECT ON orders FROM PUBLIC
-- name: grant inside a new schema
-- expect: review | deny
CREATE SCHEMA s GRANT ALL ON orders TO PUBLIC
-- name: default privileges
-- expect: review
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC
-- name: another owner
-- expect: review
ALTER TABLE orders OWNER TO CURRENT_USER
-- name: another owner of a function
-- expect: review
ALTER FUNCTION raw_email(integer) OWNER TO CURRENT_USER
-- name: reassign
-- expect: review
REASSIGN OWNED BY CURRENT_USER TO postgres
-- name: new role
-- expect: review
CREATE ROLE evil SUPERUSER LOGIN PASSWORD 'x'
-- name: changed role
-- expect: review
ALTER ROLE CURRENT_USER SUPERUSER
-- name: role's settings
-- expect: review
ALTER ROLE CURRENT_USER SET search_path = evil
-- name: row security off
-- expect: review
ALTER TABLE orders DISABLE ROW LEVEL SECURITY
-- name: triggers off
-- expect: review
ALTER TABLE audited DISABLE TRIGGER ALL
-- name: policy for all rows
-- expect: review
CREATE POLICY p ON orders USING (true)
-- name: type change
-- expect: review
ALTER TABLE orders ALTER COLUMN total TYPE text
-- name: index that blocks
-- expect: review
CREATE INDEX ON orders (status)
-- name: index built at once
-- expect: review | deny
CREATE INDEX CONCURRENTLY ON orders (status)
-- name: index over a function of this database
-- expect: review | deny
CREATE INDEX ON orders ((raw_email(id)))
-- name: new table
-- expect: review
CREATE TABLE fresh (id integer)
-- name: select into
-- expect: review
SELECT * INTO fresh FROM orders
-- name: select into in a CTE's company
-- expect: review
WITH o AS (SELECT 1 AS id) SELECT id INTO TEMP fresh FROM o
-- name: table from a query
-- expect: review
CREATE UNLOGGED TABLE fresh AS TABLE orders WITH NO DATA
-- name: view
-- expect: review
CREATE OR REPLACE VIEW open_orders AS SELECT id, customer_id, total FROM orders
-- name: rename
-- expect: review
ALTER TABLE orders RENAME TO gone
-- name: attach a partition
-- expect: deny
ALTER TABLE events ATTACH PARTITION notes FOR VALUES IN ('z')
-- name: detach a partition
-- expect: deny
ALTER TABLE events DETACH PARTITION events_a
-- name: inherit
-- expect: deny
ALTER TABLE notes INHERIT people
-- name: rule
-- expect: deny
CREATE RULE r AS ON INSERT TO notes DO INSTEAD DELETE FROM orders
-- name: trigger
-- expect: deny
CREATE TRIGGER t AFTER INSERT ON notes EXECUTE FUNCTION on_audited()
-- name: function
-- expect: deny
CREATE OR REPLACE FUNCTION raw_email(integer) RETURNS text LANGUAGE sql AS 'SELECT 1::text'
-- name: cast
-- expect: deny
CREATE CAST (mood AS integer) WITH FUNCTION length(text)
-- name: operator
-- expect: deny
CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = text, FUNCTION = starts)
-- name: extension
-- expect: deny
CREATE EXTENSION dblink
-- name: language
-- expect: deny
CREATE LANGUAGE plperlu
-- name: foreign server
-- expect: deny
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
-- name: foreign table
-- expect: deny
CREATE FOREIGN TABLE f (id integer) SERVER s
-- name: import of a foreign schema
-- expect: deny
IMPORT FOREIGN SCHEMA public FROM SERVER s INTO public
-- name: publication
-- expect: deny
CREATE PUBLICATION p FOR ALL TABLES
-- name: subscription
-- expect: deny
CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p
-- name: event trigger
-- expect: deny
CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION on_audited()
-- name: database setting
-- expect: deny
ALTER DATABASE shop SET search_path = evil
-- name: security label
-- expect: review|deny
SECURITY LABEL ON TABLE orders IS 'x'
-- name: default of a sequence
-- expect: review
ALTER SEQUENCE tickets RESTART
-- name: refresh
-- expect: review
REFRESH MATERIALIZED VIEW order_totals
-- name: comment
-- expect: review
COMMENT ON TABLE orders IS 'x'
-- name: reindex
-- expect: deny
REINDEX TABLE orders
-- name: cluster
-- expect: deny
CLUSTER orders
-- name: checkpoint
-- expect: deny
CHECKPOINT
