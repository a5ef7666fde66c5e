-- name: select pg_class with case, in, join
SELECT
                c.relname,
                CASE
                    WHEN c.relispartition THEN 'p'
                    WHEN c.relkind IN ('m', 'v') THEN 'v'
                    ELSE 't'
                END,
                obj_description(c.oid, 'pg_class')
            FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid)
-- name: select pg_constraint with join
-- params: ["accounts"]
SELECT a1.attname, c2.relname, a2.attname
            FROM pg_constraint con
            LEFT JOIN pg_class c1 ON con.conrelid = c1.oid
            LEFT JOIN pg_class c2 ON con.confrelid = c2.oid
            LEFT JOIN
                pg_attribute a1 ON c1.oid = a1.attrelid AND a1.attnum = con.conkey[1]
            LEFT JOIN
                pg_attribute a2 ON c2.oid = a2.attrelid AND a2.attnum = con.confkey[1]
            WHERE
                c1.relname = $1 AND
                con.contype = 'f' AND
                c1.relnamespace = c2.relnamespace AND
                pg_catalog.pg_table_is_visible(c1.oid)
-- name: select unnest with join
-- params: ["accounts"]
SELECT
                c.conname,
                array(
                    SELECT attname
                    FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
                    JOIN pg_attribute AS ca ON cols.colid = ca.attnum
                    WHERE ca.attrelid = c.conrelid
                    ORDER BY cols.arridx
                ),
                c.contype,
                (SELECT fkc.relname || '.' || fka.attname
                FROM pg_attribute AS fka
                JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
                WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
                cl.reloptions
            FROM pg_constraint AS c
            JOIN pg_class AS cl ON c.conrelid = cl.oid
            WHERE cl.relname = $1 AND pg_catalog.pg_table_is_visible(cl.oid)
-- name: select pg_index with case, join, group by
-- params: ["btree", "accounts"]
SELECT
                indexname,
                array_agg(attname ORDER BY arridx),
                indisunique,
                indisprimary,
                array_agg(ordering ORDER BY arridx),
                amname,
                exprdef,
                s2.attoptions
            FROM (
                SELECT
                    c2.relname as indexname, idx.*, attr.attname, am.amname,
                    CASE
                        WHEN idx.indexprs IS NOT NULL THEN
                            pg_get_indexdef(idx.indexrelid)
                    END AS exprdef,
                    CASE am.amname
                        WHEN $1 THEN
                            CASE (option & 1)
                                WHEN 1 THEN 'DESC' ELSE 'ASC'
                            END
                    END as ordering,
                    c2.reloptions as attoptions
                FROM (
                    SELECT *
                    FROM
                        pg_index i,
                        unnest(i.indkey, i.indoption)
                            WITH ORDINALITY koi(key, option, arridx)
                ) idx
                LEFT JOIN pg_class c ON idx.indrelid = c.oid
                LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid
                LEFT JOIN pg_am am ON c2.relam = am.oid
                LEFT JOIN
                    pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key
                WHERE c.relname = $2 AND pg_catalog.pg_table_is_visible(c.oid)
            ) s2
            GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;
-- name: select pg_attribute with case, join, in
-- params: ["accounts"]
SELECT
                a.attname AS column_name,
                NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
                pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
                CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation,
                a.attidentity != '' AS is_autofield,
                col_description(a.attrelid, a.attnum) AS column_comment
            FROM pg_attribute a
            LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
            LEFT JOIN pg_collation co ON a.attcollation = co.oid
            JOIN pg_type t ON a.atttypid = t.oid
            JOIN pg_class c ON a.attrelid = c.oid
            JOIN pg_namespace n ON c.relnamespace = n.oid
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND c.relname = $1
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid)
-- name: select accounts with limit
-- masked: iban, iban_lower, iban_tail
SELECT * FROM "accounts" LIMIT 1
-- name: select audited with limit
SELECT * FROM "audited" LIMIT 1
-- name: select cards with limit
-- masked: cvv, number
SELECT * FROM "cards" LIMIT 1
-- name: select customers with limit
-- masked: born, email, income, name, phone
SELECT * FROM "customers" LIMIT 1
-- name: select events with limit
-- masked: token
SELECT * FROM "events" LIMIT 1
-- name: select guesses with limit
SELECT * FROM "guesses" LIMIT 1
-- name: select notes with limit
SELECT * FROM "notes" LIMIT 1
-- name: select order_items with limit
SELECT * FROM "order_items" LIMIT 1
-- name: select orders with limit
SELECT * FROM "orders" LIMIT 1
-- name: select peek_at with limit
SELECT * FROM "peek_at" LIMIT 1
-- name: select people with limit
-- masked: secret_name
SELECT * FROM "people" LIMIT 1
-- name: select ruled with limit
SELECT * FROM "ruled" LIMIT 1
-- name: select staff with limit
-- masked: secret_name
SELECT * FROM "staff" LIMIT 1
-- name: select both_kinds with limit
-- masked: text
SELECT * FROM "both_kinds" LIMIT 1
-- name: select by_function with limit
-- masked: shown
SELECT * FROM "by_function" LIMIT 1
-- name: select customer_mail with limit
-- masked: mail
SELECT * FROM "customer_mail" LIMIT 1
-- name: select events_a with limit
-- masked: token
SELECT * FROM "events_a" LIMIT 1
-- name: select events_rest with limit
-- masked: token
SELECT * FROM "events_rest" LIMIT 1
-- name: select grouped with limit
-- masked: start
SELECT * FROM "grouped" LIMIT 1
-- name: select mail_domains with limit
-- masked: address, size
SELECT * FROM "mail_domains" LIMIT 1
-- name: select open_orders with limit
SELECT * FROM "open_orders" LIMIT 1
-- name: select order_totals with limit
SELECT * FROM "order_totals" LIMIT 1
-- name: select rich with limit
-- masked: *
SELECT * FROM "rich" LIMIT 1
-- name: select pg_class with join
-- params: ["orders"]
SELECT
                s.relname AS sequence_name,
                a.attname AS colname
            FROM
                pg_class s
                JOIN pg_depend d ON d.objid = s.oid
                    AND d.classid = 'pg_class'::regclass
                    AND d.refclassid = 'pg_class'::regclass
                JOIN pg_attribute a ON d.refobjid = a.attrelid
                    AND d.refobjsubid = a.attnum
                JOIN pg_class tbl ON tbl.oid = d.refobjid
                    AND tbl.relname = $1
                    AND pg_catalog.pg_table_is_visible(tbl.oid)
            WHERE
                s.relkind = 'S';
-- name: select orders
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."id" ASC
-- name: select orders (2)
-- params: ["open"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."status" = $1 ORDER BY "orders"."id" ASC
-- name: select orders with limit (2)
-- params: ["5"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."id" = $1 LIMIT 21
-- name: select orders with limit (3)
-- params: ["1", "5"]
SELECT $1 AS "a" FROM "orders" WHERE "orders"."id" = $2 LIMIT 1
-- name: select orders with count
SELECT COUNT(*) AS "__count" FROM "orders"
-- name: select orders with count (2)
-- params: ["open"]
SELECT COUNT(*) AS "__count" FROM "orders" WHERE "orders"."status" = $1
-- name: select orders with limit (4)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."id" ASC LIMIT 1
-- name: select orders with limit (5)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."id" DESC LIMIT 1
-- name: select orders with limit (6)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."id" ASC LIMIT 10
-- name: select orders with limit (7)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."id" ASC LIMIT 10 OFFSET 20
-- name: select orders (3)
-- params: ["done"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE NOT ("orders"."status" = $1) ORDER BY "orders"."id" ASC
-- name: select orders (4)
-- params: ["20", "50"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE ("orders"."total" >= $1 AND "orders"."total" < $2) ORDER BY "orders"."id" ASC
-- name: select orders with between
-- params: ["10", "20"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."total" BETWEEN $1 AND $2 ORDER BY "orders"."id" ASC
-- name: select orders with in
-- params: ["1", "2", "3"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."id" IN ($1, $2, $3) ORDER BY "orders"."id" ASC
-- name: select orders (5)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."note" IS NULL ORDER BY "orders"."id" ASC
-- name: select orders with like
-- params: ["%PE%"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE UPPER("orders"."status"::text) LIKE UPPER($1) ORDER BY "orders"."id" ASC
-- name: select orders with like (2)
-- params: ["o%"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."status"::text LIKE $1 ORDER BY "orders"."id" ASC
-- name: select orders (6)
-- params: ["OPEN"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE UPPER("orders"."status"::text) = UPPER($1) ORDER BY "orders"."id" ASC
-- name: select orders (7)
-- params: ["^o"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."status"::text ~ $1 ORDER BY "orders"."id" ASC
-- name: select orders (8)
-- params: ["^O"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."status"::text ~* $1 ORDER BY "orders"."id" ASC
-- name: select orders with between (2)
-- params: ["2026-01-01 06:00:00+00", "2027-01-01 05:59:59.999999+00"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."placed" BETWEEN $1 AND $2 ORDER BY "orders"."id" ASC
-- name: select orders with extract
-- params: ["America/Chicago", "5", "America/Chicago", "1"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE (EXTRACT(DAY FROM "orders"."placed" AT TIME ZONE $1) = $2 AND EXTRACT(MONTH FROM "orders"."placed" AT TIME ZONE $3) = $4) ORDER BY "orders"."id" ASC
-- name: select orders (9)
-- params: ["America/Chicago", "2026-01-05"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE ("orders"."placed" AT TIME ZONE $1)::date = $2 ORDER BY "orders"."id" ASC
-- name: select orders with extract (2)
-- params: ["America/Chicago", "2"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE EXTRACT(DOW FROM "orders"."placed" AT TIME ZONE $1) + 1 = $2 ORDER BY "orders"."id" ASC
-- name: select orders with extract (3)
-- params: ["America/Chicago", "12"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE EXTRACT(HOUR FROM "orders"."placed" AT TIME ZONE $1) >= $2 ORDER BY "orders"."id" ASC
-- name: select orders (10)
-- params: ["open", "5"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE ("orders"."status" = $1 OR "orders"."total" < $2) ORDER BY "orders"."id" ASC
-- name: select orders (11)
-- params: ["open"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE (NOT ("orders"."status" = $1) AND "orders"."total" > ("orders"."customer_id")) ORDER BY "orders"."id" ASC
-- name: select orders with join
-- masked: born, email, income, name, phone
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note", "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") ORDER BY "orders"."id" ASC
-- name: select orders with join (2)
-- masked: born, email, income, name, phone
-- params: ["City 1"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note", "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") WHERE "customers"."city" = $1 ORDER BY "orders"."total" DESC
-- name: select customers with in
-- masked: born, email, income, name, phone
-- params: ["2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "1"]
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers" WHERE ("customers"."id") IN (($1), ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9), ($10), ($11), ($12), ($13), ($14), ($15), ($16), ($17), ($18), ($19), ($20))
-- name: select customers
-- masked: born, email, income, name, phone
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers"
-- name: select orders with in (2)
-- params: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."customer_id" IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ORDER BY "orders"."id" ASC
-- name: select orders with in (3)
-- params: ["open", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE ("orders"."status" = $1 AND "orders"."customer_id" IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)) ORDER BY "orders"."id" ASC
-- name: select orders with join (3)
-- params: ["paid"]
SELECT "orders"."id" AS "id", "customers"."city" AS "customer__city" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") WHERE "customers"."plan" = $1 ORDER BY 1 ASC
-- name: select orders with distinct
SELECT DISTINCT "orders"."status" AS "status", "orders"."id" FROM "orders" ORDER BY "orders"."id" ASC
-- name: select orders with distinct on
SELECT DISTINCT ON ("orders"."status") "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."status" ASC, "orders"."id" ASC
-- name: select orders with sum, count
SELECT SUM("orders"."total") AS "total__sum", AVG("orders"."total") AS "total__avg", MIN("orders"."total") AS "total__min", MAX("orders"."total") AS "total__max", COUNT("orders"."id") AS "id__count" FROM "orders"
-- name: select orders with count (3)
-- params: ["open"]
SELECT COUNT("orders"."id") FILTER (WHERE "orders"."status" = $1) AS "n" FROM "orders"
-- name: select orders (12)
SELECT VAR_POP("orders"."total") AS "v", STDDEV_POP("orders"."total") AS "s" FROM "orders"
-- name: select orders with count, sum, group by
SELECT "orders"."status" AS "status", COUNT("orders"."id") AS "n", SUM("orders"."total") AS "t" FROM "orders" GROUP BY 1 ORDER BY 1 ASC
-- name: select customers with count, join, group by
-- masked: born, email, income, name, phone
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan", COUNT("orders"."id") AS "n" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" ORDER BY "customers"."id" ASC
-- name: select customers with sum, join, group by, having
-- masked: born, email, income, name, phone
-- params: ["100"]
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan", SUM("orders"."total") AS "t" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" HAVING SUM("orders"."total") > $1 ORDER BY "customers"."id" ASC
-- name: select customers with count, group by
SELECT "customers"."city" AS "city", COUNT("customers"."id") AS "n" FROM "customers" GROUP BY 1 ORDER BY 1 ASC
-- name: select customers with count, distinct, join, group by, having
-- params: ["2"]
SELECT "customers"."city" AS "city", COUNT(DISTINCT "orders"."id") AS "n" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY 1 HAVING COUNT(DISTINCT "orders"."id") > $1 ORDER BY 1 ASC
-- name: select orders with date_trunc, count, group by
-- params: ["month", "America/Chicago"]
SELECT DATE_TRUNC($1, "orders"."placed" AT TIME ZONE $2) AS "m", COUNT("orders"."id") AS "n" FROM "orders" GROUP BY 1 ORDER BY 1 ASC
-- name: select orders with date_trunc, sum, group by
-- params: ["day", "America/Chicago"]
SELECT DATE_TRUNC($1, "orders"."placed" AT TIME ZONE $2) AS "d", SUM("orders"."total") AS "s" FROM "orders" GROUP BY 1 ORDER BY 1 ASC
-- name: select orders with distinct, extract
-- params: ["America/Chicago", "America/Chicago"]
SELECT DISTINCT EXTRACT(YEAR FROM "orders"."placed" AT TIME ZONE $1) AS "y", EXTRACT(WEEK FROM "orders"."placed" AT TIME ZONE $2) AS "w" FROM "orders" ORDER BY 1 ASC, 2 ASC
-- name: select orders with case
-- params: ["50", "big", "small"]
SELECT "orders"."id" AS "id", CASE WHEN "orders"."total" > $1 THEN $2 ELSE $3 END AS "k" FROM "orders" ORDER BY 1 ASC
-- name: select orders with over
SELECT "orders"."id" AS "id", ROW_NUMBER() OVER (PARTITION BY "orders"."status" ORDER BY "orders"."id") AS "r" FROM "orders" ORDER BY 1 ASC
-- name: select orders with sum, over
SELECT "orders"."id" AS "id", SUM("orders"."total") OVER (ORDER BY "orders"."id") AS "s" FROM "orders" ORDER BY 1 ASC
-- name: select orders with over (2)
-- params: ["1"]
SELECT "orders"."id" AS "id", LAG("orders"."total", $1) OVER (ORDER BY "orders"."id") AS "p" FROM "orders" ORDER BY 1 ASC
-- name: select orders with over (3)
-- params: ["2"]
SELECT * FROM ( SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6", RANK() OVER (PARTITION BY "orders"."status" ORDER BY "orders"."total" DESC) AS "r" FROM "orders" ORDER BY "orders"."id" ASC ) "qualify" WHERE "r" <= $1 ORDER BY "col1" ASC
-- name: select customers with exists, limit
-- masked: born, email, income, name, phone
-- params: ["1", "open"]
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers" WHERE EXISTS(SELECT $1 AS "a" FROM "orders" U0 WHERE (U0."customer_id" = ("customers"."id") AND U0."status" = $2) LIMIT 1) ORDER BY "customers"."id" ASC
-- name: select orders with limit (8)
-- masked: born, email, income, name, phone
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan", (SELECT U0."total" AS "total" FROM "orders" U0 WHERE U0."customer_id" = ("customers"."id") ORDER BY U0."placed" DESC LIMIT 1) AS "last" FROM "customers" ORDER BY "customers"."id" ASC
-- name: select customers with in (2)
-- masked: born, email, income, name, phone
-- params: ["50"]
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers" WHERE "customers"."id" IN (SELECT U0."customer_id" AS "customer_id" FROM "orders" U0 WHERE U0."total" > $1) ORDER BY "customers"."id" ASC
-- name: select customers with exists, limit (2)
-- masked: born, email, income, name, phone
-- params: ["1", "open"]
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers" WHERE NOT (EXISTS(SELECT $1 AS "a" FROM "orders" U1 WHERE (U1."status" = $2 AND U1."customer_id" = ("customers"."id")) LIMIT 1)) ORDER BY "customers"."id" ASC
-- name: select customers with join
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") WHERE "orders"."id" IS NULL
-- name: select orders with coalesce
-- params: ["", "-", "", "", "", "1", "2", "none"]
SELECT "orders"."id" AS "id", UPPER("orders"."status") AS "u", LENGTH("orders"."status") AS "l", (COALESCE("orders"."status", $1) || COALESCE((COALESCE($2, $3) || COALESCE("orders"."note", $4)), $5)) AS "c", SUBSTRING("orders"."status", $6, $7) AS "s", COALESCE("orders"."note", $8) AS "q" FROM "orders" ORDER BY 1 ASC
-- name: select orders (13)
-- params: ["0"]
SELECT "orders"."id" AS "id", GREATEST("orders"."id", "orders"."customer_id") AS "g", ABS("orders"."total") AS "a", ROUND("orders"."total", $1) AS "r", ("orders"."total")::integer AS "cast" FROM "orders" ORDER BY 1 ASC
-- name: (select orders with union
-- params: ["open", "5"]
(SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6" FROM "orders" WHERE "orders"."status" = $1 ORDER BY "orders"."id" ASC) UNION (SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6" FROM "orders" WHERE "orders"."total" < $2 ORDER BY "orders"."id" ASC) ORDER BY "col1" ASC
-- name: (select orders with intersect
-- params: ["open", "20"]
(SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6" FROM "orders" WHERE "orders"."status" = $1 ORDER BY "orders"."id" ASC) INTERSECT (SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6" FROM "orders" WHERE "orders"."total" > $2 ORDER BY "orders"."id" ASC)
-- name: (select orders with except
-- params: ["open", "20"]
(SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6" FROM "orders" WHERE "orders"."status" = $1 ORDER BY "orders"."id" ASC) EXCEPT (SELECT "orders"."id" AS "col1", "orders"."customer_id" AS "col2", "orders"."total" AS "col3", "orders"."status" AS "col4", "orders"."placed" AS "col5", "orders"."note" AS "col6" FROM "orders" WHERE "orders"."total" > $2 ORDER BY "orders"."id" ASC)
-- name: select orders (14)
SELECT "orders"."id", "orders"."status" FROM "orders" ORDER BY "orders"."id" ASC
-- name: select orders (15)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed" FROM "orders" ORDER BY "orders"."id" ASC
-- name: select orders with in (4)
-- params: ["1", "2"]
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" WHERE "orders"."id" IN ($1, $2) ORDER BY "orders"."id" ASC
-- name: select orders with distinct, date_trunc
-- params: ["month", "America/Chicago"]
SELECT DISTINCT DATE_TRUNC($1, "orders"."placed" AT TIME ZONE $2) AS "datefield" FROM "orders" WHERE "orders"."placed" IS NOT NULL ORDER BY 1 ASC
-- name: select orders with distinct, date_trunc (2)
-- params: ["day", "America/Chicago"]
SELECT DISTINCT DATE_TRUNC($1, "orders"."placed" AT TIME ZONE $2) AS "datetimefield" FROM "orders" WHERE "orders"."placed" IS NOT NULL ORDER BY 1 ASC
-- name: select orders with limit (9)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."placed" DESC LIMIT 1
-- name: select orders with limit (10)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."placed" ASC LIMIT 1
-- name: select orders with distinct, join
-- params: ["open"]
SELECT DISTINCT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") INNER JOIN "orders" T3 ON ("customers"."id" = T3."customer_id") WHERE T3."status" = $1 ORDER BY "orders"."id" ASC
-- name: select orders with limit (12)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."id" DESC LIMIT 3
-- name: select orders (16)
SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."placed", "orders"."note" FROM "orders" ORDER BY "orders"."note" ASC NULLS FIRST, "orders"."id" ASC
-- name: select customers (2)
-- params: ["person@example.com"]
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "customers" WHERE "customers"."email" = $1
-- name: select customers with like
-- params: ["%example%"]
SELECT "customers"."id" AS "id", "customers"."city" AS "city" FROM "customers" WHERE UPPER("customers"."email"::text) LIKE UPPER($1)
-- name: select customers (3)
-- masked: *
SELECT "customers"."id" AS "id" FROM "customers" ORDER BY "customers"."email" ASC
-- name: select customers (4)
-- masked: d
SELECT LOWER("customers"."email") AS "d" FROM "customers"
-- name: select customers with count
-- params: ["5"]
SELECT COUNT(*) AS "__count" FROM "customers" WHERE "customers"."income" > $1
-- name: select customers with distinct, date_trunc
-- params: ["year"]
SELECT DISTINCT DATE_TRUNC($1, "customers"."born") AS "datefield" FROM "customers" WHERE "customers"."born" IS NOT NULL ORDER BY 1 ASC
-- name: select cards with join
-- masked: born, email, income, name, number, phone
-- params: ["3"]
SELECT "cards"."id", "cards"."customer_id", "cards"."number", "customers"."id", "customers"."name", "customers"."email", "customers"."phone", "customers"."city", "customers"."born", "customers"."income", "customers"."plan" FROM "cards" INNER JOIN "customers" ON ("cards"."customer_id" = "customers"."id") WHERE "cards"."customer_id" = $1
