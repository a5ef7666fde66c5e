# ruff: noqa: E501  tables of SQL read better one a line
"""Statement forms other than plain queries: writes, scripts, cursors, plans, copies, definitions, the catalogue, errors."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.noninterference.grammar import RELATIONS, Statement, one_column, query, with_values
from tests.noninterference.values import TYPES, Source, Writer, value

READABLE = (
    "people",
    "teams",
    "visits",
    "accounts",
    "ledger",
    "mails",
    "everybody",
    "kept_mails",
    "named",
    "items",
    "offices",
    "seats",
)
# Never with times: they differ between two runs of the same thing.
EXPLAIN = (
    "EXPLAIN", "EXPLAIN VERBOSE", "EXPLAIN (COSTS OFF)", "EXPLAIN (COSTS OFF, VERBOSE)", "EXPLAIN (FORMAT JSON)",
    "EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF)", "EXPLAIN (SETTINGS, VERBOSE, FORMAT YAML)",
    "EXPLAIN (GENERIC_PLAN)", "EXPLAIN (SUMMARY OFF, MEMORY OFF, COSTS)",
)  # fmt: skip
# Structure, which both worlds have alike. Numbers that the server gives (oids, transaction ids) are left out.
CATALOGUE = (
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY attnum",
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT tablename, attname, most_common_vals FROM pg_stats WHERE schemaname = 'public'",
    "SELECT * FROM pg_statistic", "SELECT query FROM pg_stat_activity", "SELECT * FROM pg_stat_user_tables",
    "SELECT relname, reltuples FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT name, setting FROM pg_settings WHERE name LIKE 'countersign%'", "SELECT current_setting('countersign.key', true)",
    "SELECT pg_get_viewdef('mails'::regclass)", "SELECT * FROM pg_prepared_statements", "SELECT * FROM pg_cursors",
    "SELECT has_table_privilege('people', 'SELECT'), obj_description('people'::regclass)", "SELECT current_query()",
    "SHOW search_path", "SELECT * FROM pg_largeobject", "SELECT lo_get(1)", "SELECT query_to_xml('SELECT * FROM people', true, true, '')",
)  # fmt: skip
# Errors that a value would steer, if it took part. `{t}` is text, `{n}` a number, `{d}` a date, of masked columns mostly.
ERRORS = (
    "SELECT 1 / (length({t}) - {k}) FROM people p", "SELECT ({t})::int FROM people p", "SELECT ({t})::date FROM people p",
    "SELECT substring({t} FROM 1 FOR {k} - length({t})) FROM people p", "SELECT power({n}, 400) FROM people p",
    "SELECT ({n})::smallint FROM people p", "SELECT 'x' ~ ('[' || {t}) FROM people p", "SELECT sqrt(-({n})) FROM people p",
    "SELECT ({t})::rank FROM people p", "SELECT ({t})::uuid FROM people p", "SELECT ({t})::jsonb FROM people p",
    "SELECT ({t})::inet FROM people p", "SELECT chr(({n})::int - {k}) FROM people p", "SELECT ({d})::text::int FROM people p",
    "SELECT repeat({t}, 200000000) FROM people p", "SELECT (SELECT {t} FROM people p) FROM teams",
    "SELECT id FROM people p WHERE ({t})::int > 0 AND {t} LIKE 'a%'", "SELECT CASE WHEN {t} > 'm' THEN 1 / 0 ELSE 1 END FROM people p",
    "SELECT make_date(({n})::int, 13, 1) FROM people p", "SELECT string_to_array({t}, '')[1]::int FROM people p",
    "SELECT {t} COLLATE \"none\" FROM people p", "SELECT nothing FROM people p WHERE {t} = ''", "SELECT p.email.x FROM people p",
    "SELECT sum({t}) FROM people p", "SELECT to_number({t}, {t}) FROM people p", "SELECT decode({t}, 'hex') FROM people p",
    "SELECT ({t})::postcode FROM people p", "SELECT array_fill({t}, ARRAY[({n})::int]) FROM people p", "SELECT FROM people p LIMIT ({k} - 5)",
    "SELECT generate_series(1, 3, (length({t}) - {k})) FROM people p", "SELECT ('{' || {t} || '}')::int[] FROM people p",
)  # fmt: skip
MASKED = {
    "t": ("p.name", "p.email", "p.phone", "p.card", "p.cvv", "p.iban", "p.bio", "p.address", "p.token::text", "p.level::text",
        "p.badge", "p.story", "p.contact ->> 'mail'", "p.contact::text"),
    "n": ("p.salary", "p.bonus", "p.rate::numeric", "p.scores[1]"),
    "d": ("p.born", "p.born_at::date"),
}  # fmt: skip
# A write of few rows by key, which the policies let pass, and writes that people must see. `{v}`: an expression in scope.
WRITES = (
    ("insert", "INSERT INTO notes VALUES (10{i}, {v}, 1)", ("notes",)),
    ("insert returning", "INSERT INTO notes VALUES (100, 'x', 2) RETURNING *", ("notes",)),
    ("insert returning", "INSERT INTO people (id, name, email) VALUES (100, 'new', 'new@example.com') RETURNING id, city", ("people",)),
    ("returning masked", "INSERT INTO people (id, name) VALUES (100, 'new') RETURNING {r}", ("people",)),
    ("on conflict", "INSERT INTO people (id, city) VALUES (1, 'Riga') ON CONFLICT (id) DO UPDATE SET city = EXCLUDED.city RETURNING id, city", ("people",)),
    ("on conflict", "INSERT INTO people (id, email) VALUES (100, 'alderqzx1@mail.test') ON CONFLICT (email) DO NOTHING RETURNING id", ("people",)),
    ("insert select", "INSERT INTO copies SELECT p.id, {c}, 1 FROM people p WHERE p.id < 4", ("copies",)),
    ("update by key", "UPDATE people SET city = 'Riga' WHERE id = {i} RETURNING id, city", ("people",)),
    ("update by key", "UPDATE notes SET body = 'changed' WHERE id = {i} RETURNING *", ("notes",)),
    ("update masked", "UPDATE people SET city = {c} WHERE id = {i}", ("people",)),
    ("update masked", "UPDATE people SET email = 'x' || email WHERE id = {i}", ("people",)),
    ("update masked", "UPDATE people p SET plan = 'paid' WHERE {w}", ("people",)),
    ("returning masked", "UPDATE people SET city = 'Riga' WHERE id = {i} RETURNING {r}", ("people",)),
    ("returning masked", "UPDATE people SET city = 'Riga' WHERE id = {i} RETURNING old.email, new.*", ("people",)),
    ("update from", "UPDATE notes n SET body = {c} FROM people p WHERE p.id = n.person_id AND n.id = {i} RETURNING n.body", ("notes",)),
    ("delete by key", "DELETE FROM notes WHERE id = {i} RETURNING body", ("notes",)),
    ("delete masked", "DELETE FROM people p WHERE {w}", ("people",)),
    ("delete using", "DELETE FROM notes n USING people p WHERE n.person_id = p.id AND n.id = {i} AND {w}", ("notes",)),
    ("merge", "MERGE INTO notes n USING people p ON n.id = p.id WHEN MATCHED AND {w} THEN UPDATE SET body = {c} WHEN NOT MATCHED THEN DO NOTHING", ("notes",)),
    ("merge", "MERGE INTO notes n USING (VALUES (1, 'm')) v (id, b) ON n.id = v.id WHEN MATCHED THEN UPDATE SET body = v.b RETURNING n.*", ("notes",)),
    ("data-modifying cte", "WITH w AS (UPDATE notes SET body = 'w' WHERE id = {i} RETURNING *) SELECT w.body, {c} FROM w JOIN people p ON p.id = w.person_id", ("notes",)),
    ("data-modifying cte", "WITH d AS (DELETE FROM notes WHERE id = {i} RETURNING id) SELECT * FROM d, people p WHERE {w}", ("notes",)),
)  # fmt: skip
# One plain statement for each construct that is rarely lucky among random ones: it must execute.
PLAIN = {
    "alias star": "SELECT t1.* FROM people t1",
    "column aliases": "SELECT c1, c2 FROM public.people AS t1 (c1, c2)",
    "copy": "COPY (SELECT id, email FROM people ORDER BY id) TO STDOUT",
    "cube": "SELECT city, plan, count(*) FROM people GROUP BY CUBE (city, plan)",
    "cursor": "DECLARE c CURSOR FOR SELECT email FROM people; FETCH ALL FROM c",
    "division by a value": "SELECT 1 / length(email) FROM people WHERE email IS NOT NULL",
    "except all": "SELECT email FROM people EXCEPT ALL SELECT mail FROM mails",
    "full join": "SELECT p.id, t.id FROM people p FULL JOIN teams t ON p.name = t.title",
    "function in from": "SELECT u FROM people p, unnest(p.tags) u",
    "group by key": "SELECT id, email, count(*) FROM people GROUP BY id",
    "grouping sets": "SELECT email, city, count(*) FROM people GROUP BY GROUPING SETS ((email), (city), ())",
    "in sub-query": "SELECT id FROM people WHERE email IN (SELECT mail FROM mails)",
    "invalid pattern": "SELECT 'a' ~ name FROM people",
    "join using": "SELECT * FROM people JOIN mails USING (id, city)",
    "lateral": "SELECT p.id, l.email FROM people p, LATERAL (SELECT email FROM people q WHERE q.email = p.email) l",
    "materialised cte": "WITH c AS MATERIALIZED (SELECT * FROM people) SELECT name, count(*) FROM c GROUP BY name",
    "natural join": "SELECT * FROM mails NATURAL JOIN addresses",
    "ordered-set aggregate": "SELECT mode() WITHIN GROUP (ORDER BY email) FROM people",
    "partitions": "SELECT * FROM visits",
    "prepare": "PREPARE s (int) AS SELECT email FROM people WHERE id = $1; EXECUTE s (3)",
    "record comparison": "SELECT id FROM people WHERE (id, name) IN (SELECT id, name FROM people)",
    "recursive cte": "WITH RECURSIVE r (v, n) AS (SELECT email, 1 FROM people UNION SELECT left(v, -1), n + 1 FROM r WHERE n < 6) SELECT * FROM r",
    "rollup": "SELECT email, count(*) FROM people GROUP BY ROLLUP (email)",
    "row": "SELECT p FROM people p",
    "row taken apart": "SELECT (p).* FROM people p",
    "script": "SELECT 1; SELECT email FROM people",
    "shadowing cte": "WITH people AS (SELECT * FROM teams) SELECT * FROM people",
    "system column": "SELECT ctid, tableoid::regclass, * FROM visits",
    "table command": "TABLE everybody",
    "tablesample": "SELECT email FROM people TABLESAMPLE BERNOULLI (60) REPEATABLE (1)",
    "transaction": "BEGIN; SELECT email FROM people; COMMIT",
    "union all": "SELECT email FROM people UNION ALL SELECT mail FROM mails",
    "window": "SELECT id, rank() OVER (PARTITION BY city ORDER BY email) FROM people",
    "json path": "SELECT contact -> 'phones', contact ->> 'mail', contact -> 'kept' FROM people",
    "row filter": "SELECT region, count(*) FROM offices GROUP BY region",
}
# The same for what the default policies hold back: the statement, and what it touches.
OPENED = {
    "insert select": ("INSERT INTO copies SELECT id, city, 1 FROM people", "copies"),
    "mass update": ("UPDATE notes SET body = 'x'", "notes"),
    "merge": (
        "MERGE INTO notes n USING (VALUES (1, 'm')) v (id, b) ON n.id = v.id WHEN MATCHED THEN UPDATE SET body = v.b",
        "notes",
    ),
    "plan over masks": ("EXPLAIN SELECT * FROM people WHERE email LIKE 'a%'",),
    "temporary table": ("CREATE TEMP TABLE kept AS SELECT id, email FROM people; SELECT * FROM kept ORDER BY id",),
    "pseudonym": ("SELECT badge, count(*) FROM people GROUP BY badge ORDER BY badge",),
    "scrub": ("SELECT story FROM people",),
    "row filter": ("SELECT region, count(*), max(title) FROM offices GROUP BY region",),
    "row filter below a view": ("SELECT * FROM seats",),
}


@st.composite
def forms(draw: DrawFn) -> Statement:
    writer = Writer(draw)
    form = writer.pick(
        _write, _write, _error, _error, _error, _plan, _copy, _script, _cursor, _prepared, _stored, _catalogue, _table
    )
    text, touched = form(writer)
    if not all(f"${number}::" in text for number in range(1, len(writer.params) + 1)):
        text = with_values(writer, text)
    return Statement(text, frozenset(writer.constructs), tuple(writer.params), touched)


Written = tuple[str, tuple[str, ...]]


def _scope() -> list[Source]:
    return [Source("p", RELATIONS["people"])]


def _write(writer: Writer) -> Written:
    construct, template, touched = writer.pick(*WRITES)
    writer.note(construct)
    fill = {
        "{i}": lambda: str(writer.number(1, 5)),
        "{v}": lambda: value(writer, "text", [], one_column),
        "{c}": lambda: value(writer, "text", _scope(), one_column),
        "{w}": lambda: value(writer, "bool", _scope(), one_column),
        "{r}": lambda: writer.pick("email", "*", "people", "to_jsonb(people)", "upper(name)", "id, salary"),
    }
    for place, write in fill.items():
        while place in template:
            template = template.replace(place, write(), 1)
    return template, touched


def _error(writer: Writer) -> Written:
    writer.note("error on purpose")
    text = writer.pick(*ERRORS)
    for place, columns in MASKED.items():
        text = text.replace(f"{{{place}}}", writer.pick(*columns))
    return text.replace("{k}", str(writer.number(0, 20))), ()


def _plan(writer: Writer) -> Written:
    masked = writer.one_in(4)
    writer.note("plan over masks" if masked else "plan")
    inner = _without_parameters(writer) if masked else "SELECT label, count(*) FROM items WHERE n > 2 GROUP BY label"
    return f"{writer.pick(*EXPLAIN)} {inner}", ()


def _without_parameters(writer: Writer) -> str:
    return with_values(writer, query(writer))


def _copy(writer: Writer) -> Written:
    writer.note("copy")
    options = writer.pick("", " WITH (FORMAT csv)", " WITH (FORMAT csv, HEADER)", " (DELIMITER '|', NULL 'n')")
    if writer.one_in(3):
        return f"COPY ({_without_parameters(writer)}) TO STDOUT{options}", ()
    columns = writer.pick("", "", " (id)")
    return f"COPY {writer.pick('people', 'teams', 'ledger', 'items', 'notes')}{columns} TO STDOUT{options}", ()


def _script(writer: Writer) -> Written:
    form = writer.pick("script", "transaction", "temporary table", "temporary view")
    writer.note(form)
    inner = _without_parameters(writer)
    return {
        "script": f"SELECT 1; {inner}",
        "transaction": f"BEGIN; {inner}; COMMIT",
        "temporary table": f"CREATE TEMP TABLE kept AS {inner}; SELECT * FROM kept",
        "temporary view": f"CREATE TEMP VIEW seen AS {inner}; SELECT count(*) FROM seen",
    }[form], ()


def _cursor(writer: Writer) -> Written:
    writer.note("cursor")
    inner = writer.pick(
        "SELECT id, email, name FROM people ORDER BY id",
        "SELECT * FROM mails",
        "TABLE teams",
        "SELECT label FROM items",
    )
    return f"DECLARE c CURSOR FOR {inner}; FETCH {writer.pick('ALL', '2')} FROM c", ()


def _prepared(writer: Writer) -> Written:
    writer.note("prepare")
    body, given = writer.pick(
        ("SELECT email, born FROM people WHERE id = $1", "3"),
        ("SELECT id FROM people WHERE salary > $1 ORDER BY 1", "30000"),
        ("SELECT n FROM items WHERE id = $1", "2"),
    )
    return f"PREPARE s (int) AS {body}; EXECUTE s ({given})", ()


def _stored(writer: Writer) -> Written:
    """Copies of masked columns, and reading them back in the same text."""
    writer.note("copy of masks")
    picked = value(writer, writer.pick(*TYPES), _scope(), one_column)
    picked = with_values(writer, picked)
    return (
        f"INSERT INTO copies SELECT p.id, ({picked})::text, 1 FROM people p WHERE p.id < 4; SELECT * FROM copies ORDER BY id",
        ("copies",),
    )


def _catalogue(writer: Writer) -> Written:
    writer.note("catalogue")
    return str(writer.pick(*CATALOGUE)), ()


def _table(writer: Writer) -> Written:
    writer.note("table command")
    return f"TABLE {writer.pick(*READABLE)}{writer.pick('', ' ORDER BY 1', ' LIMIT 2')}", ()
