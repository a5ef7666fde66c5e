-- name: update by key
-- params: ["done", 4]
UPDATE orders SET status = $1 WHERE id = $2
-- name: update by key with a clock
UPDATE orders SET note = 'seen', placed = now() WHERE id = 5
-- name: update by key, counted up
UPDATE orders SET total = total + 1 WHERE orders.id = 6
-- name: update by several keys
UPDATE orders SET note = 'batch' WHERE id IN (7, 8, 9)
-- name: update by key and more
UPDATE orders SET note = 'guarded' WHERE id = 10 AND status = 'done'
-- name: update by a composite key
UPDATE order_items SET amount = amount + 1 WHERE order_id = 2 AND line = 1
-- name: update through an alias, returned
UPDATE orders AS o SET note = upper(o.status) WHERE o.id = 11 RETURNING o.id, o.note
-- name: update of a relation with masks by a plain column
UPDATE customers SET city = 'Lund' WHERE id = 12
-- name: update of a masked column to a new value
-- params: ["new@example.com", 13]
UPDATE customers SET email = $1 WHERE id = $2
-- name: update with a sub-query that stars
UPDATE orders SET note = 'items' WHERE id = 14 AND EXISTS (SELECT * FROM order_items i WHERE i.order_id = 14)
-- name: update of a relation with masks, with a sub-query that stars
UPDATE customers SET plan = 'paid' WHERE id = 14 AND EXISTS (SELECT * FROM orders WHERE customer_id = 14)
-- name: update from a masked relation
UPDATE orders SET note = c.city FROM customers c WHERE orders.id = 15 AND c.id = orders.customer_id
-- name: update that fires a trigger
INSERT INTO audited VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = excluded.body
-- name: insert
-- params: [1001, "hello"]
INSERT INTO notes (id, body) VALUES ($1, $2)
-- name: insert several rows, returned
INSERT INTO notes (id, body) VALUES (1002, lower('A')), (1003, md5('b')) RETURNING id
-- name: insert or update
INSERT INTO notes (id, body) VALUES (1004, 'x') ON CONFLICT (id) DO UPDATE SET body = excluded.body
-- name: insert with a looked-up value
INSERT INTO notes (id, body) VALUES (1005, (SELECT status FROM orders WHERE id = 1))
-- name: insert of a customer
INSERT INTO customers (id, name, email) VALUES (1001, 'New', 'someone@example.net')
-- name: insert of a customer with a looked-up value
INSERT INTO customers (id, name, email) VALUES (1002, (SELECT name FROM customers WHERE id = 1), 'another@example.net')
-- name: insert with a generated key
INSERT INTO notes VALUES (nextval('tickets') + 5000, 'ticket') RETURNING id > 5000
-- name: insert defaults
INSERT INTO guesses DEFAULT VALUES
-- name: delete by key
DELETE FROM notes WHERE id = 2
-- name: delete by keys, returned
DELETE FROM notes WHERE id IN (3, 4) RETURNING id, body
-- name: delete by key in a CTE
WITH gone AS (DELETE FROM notes WHERE id = 5 RETURNING id) SELECT count(*) FROM gone
