-- name: plain columns of a relation with masks
SELECT id, city, plan FROM customers WHERE id = 3
-- name: everything of it
SELECT * FROM customers ORDER BY id LIMIT 5
-- name: join with a masked relation
SELECT o.id, o.total, c.city, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = 5
-- name: aggregate over a join
SELECT c.city, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.city ORDER BY c.city
-- name: left join and count
SELECT c.id, c.city, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.city ORDER BY 1
-- name: group by a mask
SELECT split_part(email, '@', 2) AS domain, count(*) FROM customers GROUP BY 1
-- name: year of birth
SELECT extract(year FROM born), count(*) FROM customers GROUP BY 1 ORDER BY 1
-- name: CTE over a masked relation
WITH c AS (SELECT id, email, city FROM customers WHERE city = 'City 1') SELECT * FROM c ORDER BY id
-- name: view over a masked relation
SELECT id, mail FROM customer_mail WHERE id < 4 ORDER BY id
-- name: window over a masked relation
SELECT id, row_number() OVER (PARTITION BY city ORDER BY id) FROM customers ORDER BY id
-- name: masked column with a parameter
-- params: [4]
SELECT id, email, phone FROM customers WHERE id = $1
-- name: schema and alias
SELECT c.id, c.name FROM public.customers AS c WHERE c.id BETWEEN 1 AND 3
-- name: row as json
SELECT row_to_json(c) FROM customers c WHERE id = 1
-- name: exists in a masked relation
SELECT id FROM orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id AND c.plan = 'paid') ORDER BY id
-- name: partitions
SELECT kind, count(token) FROM events GROUP BY kind ORDER BY kind
