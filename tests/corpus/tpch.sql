-- The eight relations of TPC-H with rows made by arithmetic: small, the same on every run, and each query finds some.
CREATE TABLE region (r_regionkey integer PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
CREATE TABLE nation (
    n_nationkey integer PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey integer NOT NULL REFERENCES region,
    n_comment varchar(152)
);
CREATE TABLE part (
    p_partkey integer PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,
    p_type varchar(25) NOT NULL, p_size integer NOT NULL, p_container char(10) NOT NULL,
    p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL
);
CREATE TABLE supplier (
    s_suppkey integer PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL,
    s_nationkey integer NOT NULL REFERENCES nation, s_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL,
    s_comment varchar(101) NOT NULL
);
CREATE TABLE partsupp (
    ps_partkey integer NOT NULL REFERENCES part, ps_suppkey integer NOT NULL REFERENCES supplier,
    ps_availqty integer NOT NULL, ps_supplycost numeric(15,2) NOT NULL, ps_comment varchar(199) NOT NULL,
    PRIMARY KEY (ps_partkey, ps_suppkey)
);
CREATE TABLE customer (
    c_custkey integer PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,
    c_nationkey integer NOT NULL REFERENCES nation, c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL,
    c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL
);
CREATE TABLE orders (
    o_orderkey integer PRIMARY KEY, o_custkey integer NOT NULL REFERENCES customer, o_orderstatus char(1) NOT NULL,
    o_totalprice numeric(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL,
    o_clerk char(15) NOT NULL, o_shippriority integer NOT NULL, o_comment varchar(79) NOT NULL
);
CREATE TABLE lineitem (
    l_orderkey integer NOT NULL REFERENCES orders, l_partkey integer NOT NULL, l_suppkey integer NOT NULL,
    l_linenumber integer NOT NULL, l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL,
    l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL,
    l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL,
    PRIMARY KEY (l_orderkey, l_linenumber), FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp
);

INSERT INTO region
    SELECT n - 1, (ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[n], 'region' FROM generate_series(1, 5) n;
INSERT INTO nation
    SELECT n - 1, (ARRAY['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA',
        'IRAN', 'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM',
        'RUSSIA', 'UNITED KINGDOM', 'UNITED STATES'])[n],
        (ARRAY[0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1])[n], 'nation'
    FROM generate_series(1, 25) n;
INSERT INTO part
    SELECT n, (ARRAY['forest', 'green', 'lemon', 'ivory', 'navy'])[1 + n % 5] || ' part ' || n, 'Manufacturer#' || 1 + n % 5,
        'Brand#' || 1 + n % 5 || 1 + n % 3,
        (ARRAY['ECONOMY ANODIZED STEEL', 'PROMO BURNISHED COPPER', 'STANDARD POLISHED BRASS', 'MEDIUM POLISHED TIN'])[1 + n % 4],
        1 + n % 50, (ARRAY['SM CASE', 'MED BOX', 'LG BOX', 'MED BAG', 'JUMBO JAR'])[1 + n % 5], 900 + n, 'part'
    FROM generate_series(1, 100) n;
INSERT INTO supplier
    SELECT n, 'Supplier#' || to_char(n, 'FM000000000'), 'address ' || n, n % 25, 10 + n % 25 || '-555-' || to_char(n, 'FM0000'),
        n * 10 - 100, CASE WHEN n % 10 = 0 THEN 'Customer and Complaints' ELSE 'supplier' END
    FROM generate_series(1, 50) n;
INSERT INTO partsupp
    SELECT p, 1 + (p * 7 + k * 13) % 50, 100 + (p * 37 + k * 11) % 900, 1 + (p * 3 + k * 29) % 100, 'partsupp'
    FROM generate_series(1, 100) p, generate_series(0, 3) k;
INSERT INTO customer
    SELECT n, 'Customer#' || to_char(n, 'FM000000000'), 'address ' || n, n % 25, 10 + n % 25 || '-555-' || to_char(n, 'FM0000'),
        (n * 97) % 10000 - 500, (ARRAY['BUILDING', 'AUTOMOBILE', 'MACHINERY', 'HOUSEHOLD', 'FURNITURE'])[1 + n % 5], 'customer'
    FROM generate_series(1, 100) n;
INSERT INTO orders
    SELECT n, 1 + (n * 7) % 60, (ARRAY['O', 'F', 'P'])[1 + n % 3], 1000 + (n * 137) % 300000, date '1992-01-01' + (n * 11) % 2400,
        (ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])[1 + n % 5], 'Clerk#' || n % 10, 0,
        CASE WHEN n % 9 = 0 THEN 'special requests' ELSE 'order' END
    FROM generate_series(1, 400) n;
INSERT INTO lineitem
    SELECT o_orderkey, p, 1 + (p * 7 + (o_orderkey + line) % 4 * 13) % 50, line, 1 + (o_orderkey * 3 + line * 7) % 50 + CASE o_orderkey % 40 WHEN 0 THEN 60 ELSE 0 END,
        900 + p * 10, ((o_orderkey + line) % 11) / 100.0, ((o_orderkey + line) % 9) / 100.0,
        (ARRAY['R', 'A', 'N'])[1 + (o_orderkey + line) % 3], (ARRAY['O', 'F'])[1 + o_orderkey % 2],
        o_orderdate + 10 + line * 5, o_orderdate + 20 + line * 3, o_orderdate + 14 + line * 9,
        (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + (o_orderkey + line) % 4],
        (ARRAY['AIR', 'MAIL', 'SHIP', 'TRUCK', 'RAIL', 'AIR REG', 'FOB'])[1 + (o_orderkey + line) % 7], 'lineitem'
    FROM orders, generate_series(1, 4) line, LATERAL (SELECT 1 + (o_orderkey * 13 + line * 31) % 100 AS p) chosen;
ANALYZE;
