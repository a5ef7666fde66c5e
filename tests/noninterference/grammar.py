# ruff: noqa: E501  tables of SQL read better one a line
"""Writes queries over the world: joins, sub-queries, CTEs, set operations, windows, aggregates. `statements` is the strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.noninterference.values import TYPES, Source, Writer, value


@dataclass(frozen=True)
class Statement:
    """`touched`: relations that it may have changed, to be looked at and put back afterwards."""

    sql: str
    constructs: frozenset[str]
    params: tuple[Any, ...] = ()
    touched: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{self.sql}\n-- params: {list(self.params)}" if self.params else self.sql


PEOPLE = tuple(
    pair.split(":")
    for pair in (
        "id:int name:text email:text phone:text address:text born:date salary:int bonus:num card:text cvv:text iban:text "
        "photo:bytes active:bool tags:arr profile:json postcode:text bio:text city:text plan:text team_id:int "
        "born_at:other rate:other token:other scores:other extra:other level:other span:other ip:other range:other "
        "badge:text story:text contact:json"
    ).split()
)
PERSON = tuple((name, kind) for name, kind in PEOPLE)
RELATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "people": PERSON,
    "everybody": PERSON,
    "teams": (("id", "int"), ("title", "text"), ("lead", "int"), ("budget", "num")),
    "visits": (("id", "int"), ("person_id", "int"), ("kind", "text"), ("note", "text"), ("cost", "num")),
    "visits_a": (("id", "int"), ("person_id", "int"), ("kind", "text"), ("note", "text"), ("cost", "num")),
    "accounts": (("id", "int"), ("secret", "text"), ("label", "text")),
    "premium": (("id", "int"), ("secret", "text"), ("label", "text"), ("fee", "int")),
    "ledger": (("id", "int"), ("raw", "text"), ("shout", "text"), ("tail", "text"), ("amount", "int")),
    "items": (("id", "int"), ("label", "text"), ("n", "int"), ("price", "num"), ("doc", "json"), ("parts", "arr")),
    "offices": (("id", "int"), ("region", "text"), ("title", "text"), ("note", "text")),
    "seats": (("region", "text"), ("offices", "int"), ("last", "text")),
    "notes": (("id", "int"), ("body", "text"), ("person_id", "int")),
    "mails": (("id", "int"), ("mail", "text"), ("city", "text")),
    "addresses": (("id", "int"), ("address", "text"), ("size", "int"), ("city", "text")),
    "named": (("id", "int"), ("title", "text")),
    "per_team": (("team_id", "int"), ("top", "int"), ("eldest", "date")),
    "open_items": (("id", "int"), ("label", "text"), ("n", "int")),
    "kept_mails": (("id", "int"), ("email", "text"), ("city", "text")),
    "kept_items": (("label", "text"), ("n", "int")),
}
KIND_OF = {
    "mails": "view", "addresses": "view over a view", "everybody": "view", "named": "view", "per_team": "view",
    "open_items": "view", "seats": "view", "kept_mails": "materialised view", "kept_items": "materialised view", "visits": "partitions",
    "visits_a": "partitions", "accounts": "inheritance", "premium": "inheritance", "ledger": "generated column",
}  # fmt: skip
AGGREGATES = (
    ("count", "count({a})"), ("count", "count(DISTINCT {a})"), ("minimum", "min({a}::text)"), ("minimum", "max({a}::text)"),
    ("collect", "array_agg({a}::text ORDER BY {b}::text)"), ("collect", "string_agg({a}::text, ',')"),
    ("collect", "json_agg({a})"), ("collect", "jsonb_object_agg(coalesce({b}::text, ''), {a})"), ("sum", "sum(length({a}::text))"),
    ("aggregate with filter", "count(*) FILTER (WHERE {c})"), ("aggregate with filter", "bool_or({c})"),
    ("ordered-set aggregate", "mode() WITHIN GROUP (ORDER BY {a}::text)"),
    ("ordered-set aggregate", "percentile_disc(0.5) WITHIN GROUP (ORDER BY {a}::text)"), ("sum", "avg(length({a}::text))"),
)  # fmt: skip
WINDOWS = (
    "row_number() OVER (ORDER BY {a}::text, {b}::text)", "rank() OVER (PARTITION BY {a}::text ORDER BY {b}::text)",
    "lag({a}::text) OVER (ORDER BY {b}::text)", "count(*) OVER (PARTITION BY {a}::text)", "ntile(3) OVER (ORDER BY {a}::text)",
    "first_value({a}::text) OVER (ORDER BY {b}::text ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "sum(length({a}::text)) OVER (ORDER BY {b}::text RANGE UNBOUNDED PRECEDING)", "dense_rank() OVER w", "string_agg({a}::text, '') OVER w",
)  # fmt: skip
Columns = tuple[tuple[str, str], ...]


def visible(source: Source) -> Columns:
    return tuple((name, kind) for name, kind in source.columns if kind != "other")


# --- FROM ---------------------------------------------------------------------------------------------------------


def item(writer: Writer, scope: list[Source], ctes: dict[str, Columns], depth: int) -> tuple[str, Source]:
    """One entry of FROM and what it brings."""
    choice = writer.number(0, 19)
    alias = writer.name()
    if choice < 12 or depth > 2:
        return _relation(writer, alias)
    if choice < 14 and ctes:
        name = writer.pick(*ctes)
        return f"{name} {alias}", Source(alias, ctes[name])
    if choice < 17:
        writer.note("sub-query in from")
        text, columns = select(writer, [], ctes, depth + 1)
        return f"({text}) {alias}", Source(alias, columns)
    return _computed(writer, alias, scope)


def _relation(writer: Writer, alias: str) -> tuple[str, Source]:
    name = "people" if writer.one_in(3) else str(writer.pick(*RELATIONS))
    writer.note(KIND_OF.get(name, "table"))
    source = Source(alias, RELATIONS[name])
    form = writer.number(0, 15)
    if form == 12 and name in ("accounts", "people"):
        writer.note("only")
        return f"ONLY {name} {alias}", source
    if form == 13 and name in ("people", "teams", "items", "accounts"):
        writer.note("tablesample")
        return f"{name} {alias} TABLESAMPLE {writer.pick('SYSTEM', 'BERNOULLI')} (60) REPEATABLE (1)", source
    if form == 14:
        writer.note("column aliases")
        columns = (("c1", source.columns[0][1]), ("c2", source.columns[1][1]), *source.columns[2:])
        return f"public.{name} AS {alias} (c1, c2)", Source(alias, columns)
    return f"{name} {alias}", source


def _computed(writer: Writer, alias: str, scope: list[Source]) -> tuple[str, Source]:
    construct, text, columns = writer.pick(
        ("values", "(VALUES (1, 'a'), (2, NULL)) {t} (v, w)", (("v", "int"), ("w", "text"))),
        ("generate_series", "generate_series(1, 3) {t} (g)", (("g", "int"),)),
        ("function in from", "unnest({arr}) WITH ORDINALITY {t} (u, o)", (("u", "text"),)),
        ("function in from", "regexp_split_to_table({text}, '@') {t} (piece)", (("piece", "text"),)),
        ("function in from", "jsonb_each_text({json}) {t} (k, v)", (("k", "text"), ("v", "text"))),
        ("function in from", "jsonb_path_query({json}, '$.*') {t} (q)", (("q", "json"),)),
        ("json table", "JSON_TABLE({json}, '$' COLUMNS (m text PATH '$.email', n text PATH '$.name')) {t}", (("m", "text"), ("n", "text"))),
        ("lateral", "LATERAL (SELECT {text} AS l, {int} AS i) {t}", (("l", "text"), ("i", "int"))),
        ("lateral", "LATERAL (SELECT x.email, x.id FROM people x WHERE x.id > {int} ORDER BY {text}, x.id LIMIT 2) {t}", (("email", "text"), ("id", "int"))),
        ("system catalogue", "(SELECT relname::text AS r, relkind::text AS k FROM pg_class WHERE relnamespace = 'public'::regnamespace) {t}", (("r", "text"), ("k", "text"))),
    )  # fmt: skip
    writer.note(construct)
    text = text.replace("{t}", alias)
    for kind in ("arr", "text", "json", "int"):
        while f"{{{kind}}}" in text:
            text = text.replace(f"{{{kind}}}", value(writer, kind, scope, one_column), 1)
    return text, Source(alias, columns)


def from_clause(writer: Writer, outer: list[Source], ctes: dict[str, Columns], depth: int) -> tuple[str, list[Source]]:
    text, source = item(writer, [], ctes, depth)
    sources = [source]
    for _ in range(writer.pick(0, 0, 1, 1, 2)):
        right, added = item(writer, sources, ctes, depth)
        join = writer.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "NATURAL JOIN", "USING", ",")
        writer.note({",": "comma join", "USING": "join using"}.get(join, join.lower()))
        if join in ("CROSS JOIN", "NATURAL JOIN"):
            text = f"{text} {join} {right}"
        elif join == ",":
            text = f"{text}, {right}"
        elif join == "USING":
            text = f"{text} JOIN {right} USING ({writer.pick('id', 'id', 'city', 'email')})"
        else:
            text = f"{text} {join} {right} ON {_condition(writer, sources, added, join)}"
        sources.append(added)
    return text, sources + outer


def _condition(writer: Writer, sources: list[Source], added: Source, join: str) -> str:
    kind = writer.pick("int", "text", "text")
    left = [column for source in sources for column in source.of(kind)]
    right = added.of(kind)
    if not left or not right:
        return "true"
    if join == "FULL JOIN" or writer.one_in(2):
        return f"{writer.pick(*left)} = {writer.pick(*right)}"
    return value(writer, "bool", [*sources, added], one_column)


# --- SELECT -------------------------------------------------------------------------------------------------------


def one_column(writer: Writer, kind: str, outer: list[Source]) -> str:
    """A sub-query of one column, correlated or not."""
    writer.note("sub-query")
    writer.budget -= 3
    name = str(writer.pick("people", "teams", "items", "mails", "visits", "accounts"))
    alias = writer.name()
    source = Source(alias, RELATIONS[name])
    scope = [source, *outer] if writer.one_in(2) else [source]
    where = f" WHERE {value(writer, 'bool', scope, one_column)}" if writer.one_in(2) else ""
    return f"SELECT {value(writer, kind, [source], one_column)} FROM {name} {alias}{where} ORDER BY {alias}.id"


def select(
    writer: Writer, outer: list[Source], ctes: dict[str, Columns], depth: int, kinds: tuple[str, ...] | None = None
) -> tuple[str, Columns]:
    """A SELECT and its columns; `kinds` fixes how many and of which types."""
    text, sources = from_clause(writer, outer, ctes, depth)
    where = f" WHERE {value(writer, 'bool', sources, one_column)}" if writer.one_in(2) else ""
    shape = writer.number(0, 9)
    if kinds is None and shape == 9:
        return _star(writer, text, where, sources)
    if kinds is None and shape in (6, 7):
        return _grouped(writer, text, where, sources)
    if kinds is None and shape == 8:
        return _windowed(writer, text, where, sources)
    wanted = kinds or tuple(writer.pick(*TYPES) for _ in range(writer.pick(1, 2, 2, 3)))
    outputs = [value(writer, kind, sources, one_column) for kind in wanted]
    columns = tuple((f"o{number}", kind) for number, kind in enumerate(wanted))
    listed = ", ".join(f"{output} AS {name}" for output, (name, _) in zip(outputs, columns, strict=True))
    head, tail = _around(writer, outputs, sources) if kinds is None else ("", "")
    return f"SELECT {head}{listed} FROM {text}{where}{tail}", columns


def _around(writer: Writer, outputs: list[str], sources: list[Source]) -> tuple[str, str]:
    """What may stand before and after the list of outputs: DISTINCT, ORDER BY, LIMIT, a lock."""
    choice = writer.number(0, 11)
    if choice == 0:
        writer.note("distinct")
        return "DISTINCT ", ""
    if choice == 1:
        writer.note("distinct on")
        return "DISTINCT ON (1) ", " ORDER BY 1" + writer.pick("", f", {sources[0].alias}::text")
    if choice in (2, 3, 4):
        writer.note("order by")
        order = writer.pick(
            "1", "1 DESC", "1 NULLS FIRST", f"coalesce({value(writer, 'text', sources, one_column)}, '')"
        )
        if writer.one_in(2):
            writer.note("limit")
            return "", f" ORDER BY {order} LIMIT {writer.number(0, 5)} OFFSET {writer.number(0, 2)}"
        return "", f" ORDER BY {order}"
    if choice == 5:
        writer.note("fetch with ties")
        return "", " ORDER BY 1 FETCH FIRST 2 ROWS WITH TIES"
    if choice == 6 and writer.one_in(3):
        writer.note("row lock")
        return "", writer.pick(" FOR UPDATE", " FOR SHARE", " FOR KEY SHARE SKIP LOCKED")
    return "", ""


def _star(writer: Writer, text: str, where: str, sources: list[Source]) -> tuple[str, Columns]:
    source = sources[0]
    form = writer.pick("star", "alias star", "row", "row taken apart", "system column")
    writer.note(form)
    output, columns = {
        "star": ("*", visible(source)),
        "alias star": (f"{source.alias}.*", visible(source)),
        "row": (f"{source.alias} AS r", ()),
        "row taken apart": (f"({source.alias}).*", visible(source)),
        "system column": (f"{source.alias}.{writer.pick('ctid', 'tableoid::regclass', 'cmin')} AS s, {source.alias}.*", visible(source)),
    }[form]  # fmt: skip
    return f"SELECT {output} FROM {text}{where}", columns if len(sources) == 1 else ()


def _aggregate(writer: Writer, sources: list[Source]) -> str:
    construct, template = writer.pick(*AGGREGATES)
    writer.note(construct)
    return _with_values(writer, template, sources)


def _with_values(writer: Writer, template: str, sources: list[Source]) -> str:
    for place, kind in (("{a}", None), ("{b}", "text"), ("{c}", "bool")):
        if place in template:
            written = value(writer, kind or writer.pick(*TYPES), sources, one_column)
            template = template.replace(place, written)
    return template


def _grouped(writer: Writer, text: str, where: str, sources: list[Source]) -> tuple[str, Columns]:
    key = value(writer, writer.pick("text", "text", "int", "date"), sources, one_column)
    other = value(writer, "text", sources, one_column)
    form = writer.pick("group by", "group by", "rollup", "cube", "grouping sets", "group by key", "no group")
    writer.note(form)
    aggregates = ", ".join(f"{_aggregate(writer, sources)} AS a{n}" for n in range(writer.pick(1, 1, 2)))
    having = (
        f" HAVING {writer.pick('count(*) > 1', f'max({other}) > {chr(39)}m{chr(39)}', 'bool_and(true)')}"
        if writer.one_in(3)
        else ""
    )
    if form == "no group":
        return f"SELECT {aggregates} FROM {text}{where}{having}", ()
    if form == "group by key" and sources[0].columns:
        alias = sources[0].alias
        first, second = sources[0].columns[0][0], sources[0].columns[-1][0]
        return (
            f"SELECT {alias}.{first}, {alias}.{second}, {aggregates} FROM {text}{where} GROUP BY {alias}.{first}{having}",
            (),
        )
    group = {
        "group by": "1",
        "rollup": f"ROLLUP (({key}), ({other}))",
        "cube": f"CUBE (({key}), ({other}))",
        "grouping sets": f"GROUPING SETS ((({key})), (({other})), ())",
    }.get(form, "1")
    return f"SELECT {key} AS k, {aggregates} FROM {text}{where} GROUP BY {group}{having}", ()


def _windowed(writer: Writer, text: str, where: str, sources: list[Source]) -> tuple[str, Columns]:
    writer.note("window")
    window = _with_values(writer, writer.pick(*WINDOWS), sources)
    named = f" WINDOW w AS (PARTITION BY {value(writer, 'text', sources, one_column)} ORDER BY {value(writer, 'int', sources, one_column)})"
    return f"SELECT {value(writer, 'text', sources, one_column)} AS o0, {window} AS w0 FROM {text}{where}{named}", (
        ("o0", "text"),
    )


# --- Whole queries ------------------------------------------------------------------------------------------------


def query(writer: Writer) -> str:
    ctes: dict[str, Columns] = {}
    with_clause = _with(writer, ctes) if writer.one_in(4) else ""
    if not writer.one_in(5):
        return with_clause + select(writer, [], ctes, 0)[0]
    operation = writer.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL")
    writer.note(operation.lower())
    kinds = tuple(writer.pick("text", "int", "date", "bool") for _ in range(writer.pick(1, 2)))
    left, right = (select(writer, [], ctes, 1, kinds)[0] for _ in range(2))
    order = writer.pick("", " ORDER BY 1", " ORDER BY 1 LIMIT 3")
    return f"{with_clause}({left}) {operation} ({right}){order}"


def _with(writer: Writer, ctes: dict[str, Columns]) -> str:
    form = writer.pick("cte", "cte", "materialised cte", "recursive cte", "shadowing cte")
    writer.note(form)
    if form == "recursive cte":
        ctes["walk"] = (("id", "int"), ("path", "text"))
        link = writer.pick("p.id = w.id + 1", "p.email > w.path", "length(p.name) > w.id")
        return (
            "WITH RECURSIVE walk (id, path) AS (SELECT id, email FROM people WHERE id = 1 UNION "
            f"SELECT p.id, p.{writer.pick('email', 'name', 'city')} FROM people p JOIN walk w ON {link} WHERE w.id < 5) "
        )
    name = writer.pick("people", "teams", "items") if form == "shadowing cte" else "c"
    text, columns = select(writer, [], {}, 1)
    if columns:
        ctes[name] = columns
    return f"WITH {name} AS {'MATERIALIZED ' if form == 'materialised cte' else ''}({text}) "


@st.composite
def queries(draw: DrawFn) -> Statement:
    writer = Writer(draw)
    text = query(writer)
    if not all(f"${number}::" in text for number in range(1, len(writer.params) + 1)):  # one was written and not used
        text = with_values(writer, text)
    return Statement(text, frozenset(writer.constructs), tuple(writer.params))


def with_values(writer: Writer, text: str) -> str:
    """Values in the place of parameters, which belong to one statement that is a query."""
    writer.constructs.discard("parameter")
    while writer.params:
        text = text.replace(f"${len(writer.params)}::int", str(writer.params.pop()))
    return text
