-- The shop that the corpus attacks. {marks} differ from database to database; what is seen through masks does not.
CREATE TABLE customers (
    id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, phone varchar(20), city text, born date,
    income integer, plan text NOT NULL DEFAULT 'free', tags text[] NOT NULL DEFAULT '{{}}', profile jsonb
);
CREATE TABLE cards (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers, number varchar(19), cvv char(3));
CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers, total numeric(10,2) NOT NULL,
    status text NOT NULL, placed timestamptz NOT NULL DEFAULT now(), note text
);
CREATE TABLE order_items (
    order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE, line integer NOT NULL, product text NOT NULL,
    amount integer NOT NULL, PRIMARY KEY (order_id, line)
);
CREATE TABLE notes (id integer PRIMARY KEY, body text);
CREATE TABLE guesses (email text);
CREATE TABLE audited (id integer PRIMARY KEY, body text);
CREATE TABLE pg_stats (id integer, most_common_vals text);
CREATE TABLE peek_at (id integer, leak text, any_mail text);

CREATE TABLE people (id integer PRIMARY KEY, secret_name text);
CREATE TABLE staff (grade integer) INHERITS (people);
CREATE TABLE events (id integer, kind text, token text) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE accounts (
    id integer PRIMARY KEY, iban text, plain text,
    iban_lower text GENERATED ALWAYS AS (lower(iban)) STORED,
    iban_tail text GENERATED ALWAYS AS (right(iban, 9)) VIRTUAL,
    plain_upper text GENERATED ALWAYS AS (upper(plain)) STORED
);

CREATE VIEW customer_mail AS SELECT c.id, lower(c.email) AS mail, c.city FROM customers c;
CREATE VIEW mail_domains AS SELECT m.id, m.mail AS address, length(m.mail) AS size FROM customer_mail m;
CREATE VIEW rich AS SELECT c.* FROM customers c WHERE c.income > 50000;
CREATE VIEW grouped AS SELECT left(c.email, 3) AS start, count(*) AS many FROM customers c GROUP BY 1;
CREATE VIEW both_kinds AS SELECT id, email AS text FROM customers UNION ALL SELECT id, status FROM orders;
CREATE VIEW by_function AS SELECT c.id, c.name || '' AS shown FROM customers c WHERE EXISTS (SELECT FROM cards d WHERE d.customer_id = c.id);
CREATE VIEW statistics_of AS SELECT tablename, attname, most_common_vals::text AS common FROM pg_catalog.pg_stats;
CREATE MATERIALIZED VIEW mail_store AS SELECT id, email FROM customers;
CREATE MATERIALIZED VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;

CREATE FUNCTION raw_email(integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customers WHERE id = $1';
CREATE FUNCTION leak(customers) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customers WHERE id = ($1).id';
CREATE FUNCTION leak(orders) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customers WHERE id = ($1).customer_id';
CREATE FUNCTION any_mail(anyelement) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customers LIMIT 1';
CREATE FUNCTION all_mail() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT email FROM customers';
CREATE FUNCTION starts(integer, text) RETURNS boolean LANGUAGE sql STABLE
    AS 'SELECT email LIKE $2 || ''%'' FROM customers WHERE id = $1';
CREATE OPERATOR ~=~~ (LEFTARG = integer, RIGHTARG = text, FUNCTION = starts);
CREATE FUNCTION collect(text, integer) RETURNS text LANGUAGE sql STABLE
    AS 'SELECT $1 || coalesce((SELECT email FROM customers WHERE id = $2), '''')';
CREATE AGGREGATE every_mail(integer) (SFUNC = collect, STYPE = text, INITCOND = '');
CREATE FUNCTION remove_orders() RETURNS integer LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; RETURN 1; END';
CREATE PROCEDURE clear_orders() LANGUAGE sql AS 'DELETE FROM orders';
CREATE FUNCTION on_audited() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT OR UPDATE ON audited FOR EACH ROW EXECUTE FUNCTION on_audited();
CREATE SEQUENCE tickets;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE ruled (id integer PRIMARY KEY, body text);
CREATE RULE rewritten AS ON UPDATE TO ruled DO INSTEAD DELETE FROM orders;
CREATE VIEW open_orders AS SELECT id, customer_id, total FROM orders WHERE status = 'open';

INSERT INTO customers
    SELECT n, '{name}' || n, '{mail}' || n || '@example.com', '{dial}' || to_char(n, 'FM00'), 'City ' || n % 3,
        make_date(1960 + n, {month}, {day}), 10000 * n + {cents}, CASE n % 2 WHEN 0 THEN 'free' ELSE 'paid' END
    FROM generate_series(1, 20) n;
INSERT INTO cards SELECT n, n, '{digits}' || to_char(n, 'FM0000'), '{code}' FROM generate_series(1, 20) n;
INSERT INTO orders
    SELECT n, 1 + n % 20, n * 1.5, CASE WHEN n % 4 = 0 THEN 'open' ELSE 'done' END, timestamptz '2026-01-01 12:00Z' + n * interval '1 day'
    FROM generate_series(1, 60) n;
INSERT INTO order_items SELECT 1 + n % 60, n, 'Product ' || n % 7, n % 5 FROM generate_series(1, 120) n;
INSERT INTO notes SELECT n, 'Note ' || n FROM generate_series(1, 5) n;
INSERT INTO ruled VALUES (1, 'ruled');
INSERT INTO staff VALUES (1, '{name}staff', 3);
INSERT INTO people VALUES (2, '{name}people');
INSERT INTO events VALUES (1, 'a', '{name}token'), (2, 'b', '{name}token');
INSERT INTO accounts (id, iban, plain) VALUES (1, '{iban}1234', 'plain');
REFRESH MATERIALIZED VIEW mail_store;
REFRESH MATERIALIZED VIEW order_totals;
ANALYZE;
