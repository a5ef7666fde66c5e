"""Tables of any types, rows in them, and changes to them, for the property test."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'o''k', 'very happy');
CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN ints AS integer[];
CREATE TYPE "Place" AS (street text, "no" integer, tags text[]);
"""
# What PostgreSQL reads for each type; many of them equal, or nearly, and yet another text.
VALUES: dict[str, tuple[str, ...]] = {
    "integer": ("0", "-1", "2147483647"),
    "bigint": ("0", "-9223372036854775808"),
    "numeric": ("1.0", "1.00", "NaN", "-Infinity", "0.1234567890123456789012345678901234567890"),
    "numeric(10,2)": ("1", "1.10", "-12345678.90"),
    "real": ("0", "-0", "0.1", "Infinity", "NaN", "1.1754944e-38"),
    "double precision": ("0", "-0", "0.1", "0.30000000000000004", "-Infinity", "NaN", "5e-324"),
    "text": (
        "",
        " ",
        "a",
        "a ",
        "NULL",
        "null",
        "\\",
        '"',
        "'",
        "{}",
        "(a,b)",
        "é",
        "漢字",
        "line\nline",
        "\t",
        "e\u0301",
    ),
    "character varying(10)": ("", "ten chars!", " x "),
    "character(5)": ("", "ab", "abcde"),
    '"char"': ("a", "", "\\377"),
    "name": ("x", "a b"),
    "boolean": ("t", "f"),
    "bytea": ("", "\\x00ff", "\\x5c5c"),
    "date": ("2024-02-29", "infinity", "0044-03-15 BC"),
    "time without time zone": ("00:00:00", "24:00:00", "12:34:56.789012"),
    "time with time zone": ("12:00:00+02", "12:00:00.000001-11:30"),
    "timestamp without time zone": ("2024-02-29 12:00:00", "-infinity"),
    "timestamp(3) with time zone": ("2024-02-29 12:00:00.123+05:30", "infinity", "0044-03-15 12:00:00+00 BC"),
    "interval": ("1 mon -1 day", "-00:00:00.000001", "1 year 2 mons 3 days 04:05:06"),
    "interval day to second(2)": ("1 day 02:03:04.56",),
    "uuid": ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",),
    "json": ('{"a": 1,  "a":2}', "null", '"x"', " [1]"),
    "jsonb": ('{"b": 1, "a": [1.0, 1.00]}', "null", '"x"'),
    "inet": ("10.0.0.1", "10.0.0.1/8", "::1"),
    "cidr": ("10.0.0.0/8",),
    "macaddr": ("08:00:2b:01:02:03",),
    "money": ("12.34", "-1"),
    "bit(4)": ("1010",),
    "bit varying": ("", "101"),
    "point": ("(1,-0)", "(0.1,Infinity)"),
    "box": ("(1,1),(0,0)",),
    "polygon": ("((0,0),(1,1),(2,0))",),
    "circle": ("<(0,0),1>",),
    "path": ("[(0,0),(1,1)]", "((0,0),(1,1))"),
    "int4range": ("empty", "[1,5)", "(,)"),
    "numrange": ("[1.0,2.00]",),
    "tstzrange": ('["2024-01-01 00:00+00",infinity)',),
    "int4multirange": ("{}", "{[1,2),[5,)}"),
    "tsvector": ("'a':1 'b c':2A",),
    "tsquery": ("'a' & !'b'",),
    "pg_lsn": ("16/B374D848",),
    "integer[]": ("{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={7,8}"),
    "text[]": ('{"a,b",NULL,"NULL","\\"","\\\\",""}', "{{a},{b}}"),
    "box[]": ("{(1,1),(0,0);(2,2),(0,0)}",),
    "mood": ("sad", "o'k"),
    "mood[]": ('{sad,"very happy"}',),
    "percent": ("0", "99.9"),
    "ints": ("{1,2}", "{}"),
    '"Place"': ('("a ""b"", c",1,"{x,y}")', "(,,)"),
    '"Place"[]': ('{"(a,1,{})","(,,)"}',),
}
KEYS = {
    "one number": ("id integer PRIMARY KEY", ("id",)),
    "identity": ("id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY", ("id",)),
    "two, one of them text": ('id integer, "Other Key" text DEFAULT \'k\', PRIMARY KEY ("Other Key", id)', ("id",)),
    "unique": ("id integer NOT NULL UNIQUE", ("id",)),
}
ROWS = 8
NAMES = ["a", "select", 'Quo"ted', "ünder score"]


@dataclass(frozen=True)
class Table:
    """`columns`: names, quoted, and types. `rows`: a literal for each column of each row, by its place in VALUES."""

    key: str
    partitioned: bool
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    generated: bool

    @property
    def create(self) -> str:
        own = [f"{name} {of_type}" for name, of_type in self.columns]
        computed = ["computed text GENERATED ALWAYS AS (id::text || '!') STORED"] if self.generated else []
        parts = ", ".join([KEYS[self.key][0], *own, *computed])
        if not self.partitioned:
            return f'CREATE TABLE "The Table" ({parts})'
        split = "; ".join(
            f'CREATE TABLE part_{n} PARTITION OF "The Table" FOR VALUES WITH (MODULUS 2, REMAINDER {n})' for n in (0, 1)
        )
        return f'CREATE TABLE "The Table" ({parts}) PARTITION BY HASH (id); {split}'

    def insert(self, first: int, rows: tuple[tuple[str, ...], ...]) -> str:
        names = ", ".join(["id", *(name for name, _ in self.columns)])
        listed = ", ".join(f"({', '.join([str(first + number), *row])})" for number, row in enumerate(rows))
        return f'INSERT INTO "The Table" ({names}) OVERRIDING SYSTEM VALUE VALUES {listed}'


def literal(of_type: str) -> st.SearchStrategy[str]:
    texts = st.sampled_from(VALUES[of_type]).map(lambda text: "'" + text.replace("'", "''") + f"'::{of_type}")
    return st.one_of(texts, texts, st.just("NULL"))


def row_of(types: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(*(literal(of_type) for of_type in types))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    key = draw(st.sampled_from(sorted(KEYS)))
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    names = ['"' + name.replace('"', '""') + '"' for name in NAMES]
    rows = draw(st.lists(row_of(types), min_size=ROWS, max_size=ROWS))
    return Table(
        key, draw(st.booleans()), tuple(zip(names, types, strict=False)), tuple(rows), generated=draw(st.booleans())
    )


WHERE = ("true", "t.id % 2 = 0", "t.id IN (1, 2)", "t.id > 3 AND t.id < 100", "t.id = 1", "t.id < 0")


@st.composite
def changes(draw: st.DrawFn, table: Table) -> str:
    """A statement over the table. Rows 0 to 7 are there."""
    verb = draw(st.sampled_from(["update", "update", "update from", "delete", "insert", "upsert", "merge"]))
    where = draw(st.sampled_from(WHERE))
    chosen = draw(st.lists(st.sampled_from(table.columns), min_size=1, max_size=3, unique_by=lambda one: one[0]))
    values = [(name, draw(literal(of_type))) for name, of_type in chosen]
    sets = ", ".join(f"{name} = {value}" for name, value in values)
    returning = draw(st.sampled_from(["", " RETURNING *", " RETURNING id AS old", " RETURNING 1, t.id"]))
    more = draw(st.integers(1, 4))
    if verb == "update":
        return f'UPDATE "The Table" AS t SET {sets} WHERE {where}{returning}'
    if verb == "update from":
        other = "(VALUES (1, 'x'), (2, 'y'), (2, 'z'), (5, 'w')) AS v(n, word)"
        return f'WITH few AS (SELECT 1) UPDATE "The Table" t SET {sets} FROM {other} WHERE v.n = t.id AND {where}'
    if verb == "delete":
        return f'DELETE FROM "The Table" t WHERE {where}{returning}'
    fresh = tuple(draw(row_of([of_type for _, of_type in table.columns])) for _ in range(more))
    if verb == "insert" or (verb == "upsert" and table.partitioned and table.key == "unique"):
        return table.insert(100, fresh)
    if verb == "upsert":
        keys = '"Other Key", id' if table.key == "two, one of them text" else "id"
        return f"{table.insert(6, fresh)} ON CONFLICT ({keys}) DO UPDATE SET {sets}"
    name, value = values[0]
    return (
        f'MERGE INTO "The Table" t USING generate_series(5, {8 + more}) AS s(n) ON t.id = s.n'
        f" WHEN MATCHED AND t.id = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET {sets}"
        f" WHEN NOT MATCHED THEN INSERT (id, {name}) OVERRIDING SYSTEM VALUE VALUES (s.n, {value})"
    )
