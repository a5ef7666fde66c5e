-- name: delete everything
-- expect: review
DELETE FROM orders
-- name: delete behind a comment
-- expect: review
/* SELECT 1 */ DELETE -- WHERE id = 1
FROM orders
-- name: delete with the WHERE in a comment
-- expect: review
DELETE FROM orders /* WHERE id = 1 */
-- name: delete where true
-- expect: review
DELETE FROM orders WHERE true
-- name: delete where one is one
-- expect: review
DELETE FROM orders WHERE 1 = 1
-- name: delete where a text is itself
-- expect: review
DELETE FROM orders WHERE 'x' = 'x'
-- name: delete where not false
-- expect: review
DELETE FROM orders WHERE NOT false
-- name: delete where a column is itself
-- expect: review
DELETE FROM orders WHERE id = id
-- name: delete where a key is not null
-- expect: review
DELETE FROM orders WHERE id IS NOT NULL
-- name: delete where null or true
-- expect: review
DELETE FROM orders WHERE id IS NULL OR true
-- name: delete by key or true
-- expect: review
DELETE FROM orders WHERE id = 1 OR true
-- name: delete by key or not
-- expect: review
DELETE FROM orders WHERE id = 1 OR NOT id = 1
-- name: delete by a range of keys
-- expect: review
DELETE FROM orders WHERE id > 0
-- name: delete by between
-- expect: review
DELETE FROM orders WHERE id BETWEEN 1 AND 1000000
-- name: delete by a sub-query of keys
-- expect: review
DELETE FROM orders WHERE id IN (SELECT id FROM orders)
-- name: delete by any of a parameter
-- expect: review
-- params: ["{1,2,3}"]
DELETE FROM orders WHERE id = ANY ($1::int[])
-- name: delete by exists
-- expect: review
DELETE FROM orders WHERE EXISTS (SELECT 1)
-- name: delete by coalesce
-- expect: review
DELETE FROM orders WHERE COALESCE(id = 1, true) OR id <> 1
-- name: delete by case
-- expect: review
DELETE FROM orders WHERE CASE WHEN id = 1 THEN true ELSE true END
-- name: delete by a key that is a column
-- expect: review
DELETE FROM orders WHERE id = customer_id OR id = id
-- name: delete by a cast
-- expect: review
DELETE FROM orders WHERE 't'::boolean
-- name: delete by a negated contradiction
-- expect: review
DELETE FROM orders WHERE NOT (id = 1 AND id = 2)
-- name: delete by part of a key
-- expect: review
DELETE FROM order_items WHERE order_id = 1
-- name: delete with cascade to others
-- expect: review
DELETE FROM orders WHERE id = 1
-- name: delete by key of a joined relation
-- expect: review
DELETE FROM order_items USING orders o WHERE o.id = 1
-- name: delete in a CTE
-- expect: review
WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone
-- name: delete in a nested CTE
-- expect: review
WITH a AS (SELECT 1), gone AS (DELETE FROM notes RETURNING *), b AS (SELECT * FROM gone) SELECT * FROM b
-- name: delete in a CTE that nobody reads
-- expect: review
WITH gone AS (DELETE FROM notes) SELECT 1
-- name: keyed delete beside a mass delete
-- expect: review
WITH gone AS (DELETE FROM notes WHERE id = 1), all_gone AS (DELETE FROM order_items) SELECT 1
-- name: update everything
-- expect: review
UPDATE notes SET body = ''
-- name: update with a keyed sub-query only
-- expect: review
UPDATE notes SET body = '' WHERE (SELECT id FROM notes WHERE id = 1) = 1
-- name: update from another relation's key
-- expect: review
UPDATE notes SET body = '' FROM orders WHERE orders.id = 1
-- name: update by an alias's key
-- expect: review
UPDATE notes AS n SET body = '' FROM (SELECT 1 AS id) AS notes WHERE notes.id = 1
-- name: update in a CTE of an insert
-- expect: review
WITH changed AS (UPDATE notes SET body = '' RETURNING id) INSERT INTO audited SELECT id, 'x' FROM changed
-- name: update by more keys than pass
-- expect: review
UPDATE notes SET body = '' WHERE id IN (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99,100,101)
-- name: update with quoted words
-- expect: review
UPDATE "notes" SET "body" = '' WHERE "body" = "body"
-- name: update where current of
-- expect: review | deny
UPDATE notes SET body = '' WHERE CURRENT OF c
-- name: update that a rule turns into a delete
-- expect: deny
UPDATE ruled SET body = 'x' WHERE id = 1
-- name: insert from a query
-- expect: review
INSERT INTO notes SELECT n, 'x' FROM generate_series(1000, 100000) n
-- name: insert of one row that becomes many
-- expect: review
INSERT INTO notes VALUES (generate_series(1000, 100000), 'x')
-- name: insert of one row that becomes many by unnest
-- expect: review
INSERT INTO notes (id, body) VALUES (unnest(ARRAY[1001, 1002, 1003]), 'x')
-- name: insert of one row that becomes many inside an expression
-- expect: review
INSERT INTO notes VALUES (1000 + (pg_catalog.generate_series(1, 5)), 'x')
-- name: insert of one row that becomes many by json
-- expect: review
INSERT INTO notes VALUES (2000, jsonb_array_elements_text('["a", "b"]'))
-- name: insert from a table
-- expect: review
INSERT INTO notes TABLE notes
-- name: insert from values in a CTE
-- expect: review
WITH v(id) AS (VALUES (901), (902)) INSERT INTO notes SELECT id, 'x' FROM v
-- name: insert with a CTE that deletes
-- expect: review
WITH gone AS (DELETE FROM orders) INSERT INTO notes VALUES (903, 'x')
-- name: merge that deletes
-- expect: review
MERGE INTO notes n USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE
-- name: merge in a CTE
-- expect: review
WITH m AS (MERGE INTO notes n USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE RETURNING n.id) SELECT * FROM m
-- name: explain that runs a delete
-- expect: review
EXPLAIN ANALYZE DELETE FROM orders
-- name: explain that runs a delete, with options
-- expect: review
EXPLAIN (COSTS OFF, ANALYZE true) WITH gone AS (DELETE FROM notes) SELECT 1
-- name: write through a view
-- expect: deny
DELETE FROM open_orders WHERE id = 4
-- name: write to a materialised view
-- expect: deny
DELETE FROM order_totals
-- name: write to the catalogue
-- expect: deny
UPDATE pg_catalog.pg_class SET relname = 'x'
-- name: write to a name that is also the system's
-- expect: deny
DELETE FROM pg_stats
