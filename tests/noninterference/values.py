"""Expressions of the generator: templates by type, filled at random from what is in scope. To add one: a line below."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

_PLACE = re.compile(r"\{(\w+)\}")

# A template's places are types; `any` is any type, `row` an alias in scope, `query` a sub-query of one column of that type.
# What stands before `|` is the construct that it counts as.
TEMPLATES: dict[str, str] = {
    "text": r"""
        text function|lower({text})
        text function|upper({text})
        text function|initcap({text})
        text function|reverse({text})
        text function|btrim({text}, {text})
        text function|replace({text}, {text}, {text})
        text function|translate({text}, {text}, 'xyz')
        text function|left({text}, {int})
        text function|right({text}, {small})
        text function|lpad({text}, {small}, '-')
        text function|repeat({text}, 2)
        text function|split_part({text}, '@', {small})
        text function|concat_ws('-', {any}, {any})
        text function|format('%s|%s', {any}, {any})
        text function|quote_literal({text})
        text function|overlay({text} PLACING 'x' FROM {small})
        substring|substr({text}, {small}, {small})
        substring|substring({text} FROM {int} FOR {int})
        substring|substring({text} FROM {pattern})
        hash|md5({text})
        hash|encode(sha256(convert_to({text}, 'UTF8')), 'hex')
        regular expression|regexp_replace({text}, {pattern}, 'x', 'g')
        regular expression|regexp_substr({text}, {pattern})
        regular expression|regexp_replace('x', {text}, 'y')
        concatenation|{text} || {any}
        coalesce|coalesce({text}, {text})
        coalesce|nullif({text}, {text})
        coalesce|greatest({text}, {text})
        case|CASE WHEN {bool} THEN {text} ELSE {text} END
        case|CASE {text} WHEN {text} THEN 'same' ELSE {text} END
        cast to text|({any})::text
        cast to text|CAST({any} AS varchar(6))
        cast to text|{row}::text
        to_char|to_char({date}, 'YYYY-MM-DD')
        to_char|to_char({num}, '999D9')
        json operator|{json} ->> 'email'
        json operator|{json} #>> '{profile,mail}'
        json operator|row_to_json({row}) ->> 'name'
        json query|jsonb_path_query_first({json}, '$.*')::text
        json query|JSON_VALUE({json}, '$.phone')
        json query|JSON_QUERY({json}, '$.tags' WITH WRAPPER)::text
        array function|array_to_string({arr}, ',')
        array function|({arr})[1]
        bytes|encode({bytes}, 'hex')
        scalar sub-query|(SELECT {text} LIMIT 1)
        scalar sub-query|({query_text} LIMIT 1)
        collate|{text} COLLATE "C"
        type of|pg_typeof({any})::text
    """,
    "int": r"""
        arithmetic|{int} + {int}
        arithmetic|{int} * {int}
        arithmetic|{int} % nullif({int}, 0)
        division by a value|1 / {int}
        division by a value|{int} / length({text})
        length|length({text})
        length|octet_length({text})
        length|bit_length({text})
        length|ascii({text})
        position|position('a' IN {text})
        position|strpos({text}, {text})
        regular expression|regexp_count({text}, {pattern})
        regular expression|regexp_instr({text}, {pattern})
        cast of text|({text})::integer
        cast of text|({num})::smallint
        date part|extract(year FROM {date})::int
        date part|extract(doy FROM {date})::int
        date arithmetic|{date} - {date}
        array function|cardinality({arr})
        array function|array_position({arr}, {text})
        json query|jsonb_array_length({json} -> 'list')
        json query|({json} ->> 'n')::int
        coalesce|coalesce({int}, {int})
        coalesce|least({int}, {int})
        case|CASE WHEN {bool} THEN {int} ELSE 0 END
        scalar sub-query|({query_int} LIMIT 1)
        scalar sub-query|(SELECT count(*)::int FROM people x WHERE {bool})
        hash|hashtext({text})
        sign|sign({num})::int
        row function|num_nulls({any}, {any})
    """,
    "num": r"""
        arithmetic|{num} + {num}
        arithmetic|{num} / {num}
        arithmetic|{num} * {int}
        mathematics|round({num}, 1)
        mathematics|abs({num})
        mathematics|sqrt({num})
        mathematics|ln({num})
        mathematics|power({num}, {small})
        mathematics|exp({num}::float8)::numeric
        mathematics|width_bucket({num}, 0, 50000, 5)::numeric
        cast of text|({text})::numeric(5,2)
        cast of text|to_number({text}, '99999')
        date part|extract(epoch FROM {date}::timestamp)
        coalesce|coalesce({num}, 0)
        case|CASE WHEN {bool} THEN {num} ELSE {num} END
        scalar sub-query|(SELECT sum(salary) FROM people WHERE {bool})::numeric
    """,
    "bool": r"""
        comparison|{text} = {text}
        comparison|{text} < {text}
        comparison|{text} IS DISTINCT FROM {text}
        comparison|{int} > {int}
        comparison|{num} BETWEEN {num} AND {num}
        comparison|{date} >= {date}
        comparison|{bytes} = {bytes}
        comparison|{json} = {json}
        comparison|{arr} = {arr}
        pattern match|{text} LIKE {like}
        pattern match|{text} NOT ILIKE {like}
        pattern match|{text} ~ {pattern}
        pattern match|{text} !~* {pattern}
        pattern match|{text} SIMILAR TO '(a|b)%'
        pattern match|starts_with({text}, {text})
        pattern match|{text} LIKE {text}
        invalid pattern|'a' ~ {text}
        null test|{any} IS NULL
        null test|{any} IS NOT NULL
        null test|{row} IS NOT NULL
        boolean|NOT ({bool})
        boolean|({bool} AND {bool})
        boolean|({bool} OR {bool})
        boolean|({bool}) IS NOT TRUE
        in list|{text} IN ({text}, {text})
        in list|{int} IN (1, 2, {int})
        in sub-query|{text} IN ({query_text})
        in sub-query|{int} NOT IN ({query_int})
        quantified|{text} = ANY ({arr})
        quantified|{int} > ALL ({query_int})
        quantified|{text} LIKE ANY (ARRAY['a%', {text}])
        exists|EXISTS ({query_text})
        exists|NOT EXISTS ({query_int})
        record comparison|({text}, {int}) < ({text}, {int})
        record comparison|{row} = {row}
        record comparison|({int}, {text}) IN (SELECT id, name FROM people)
        array function|{arr} @> ARRAY[{text}]
        array function|{arr} && {arr}
        json operator|{json} ? 'email'
        json operator|{json} @> '{"plan": "free"}'
        json query|jsonb_path_exists({json}, '$.** ? (@ like_regex "a")')
        json query|JSON_EXISTS({json}, '$.n')
        overlaps|(make_date(2000, 1, 1), {date}) OVERLAPS ({date}, make_date(2030, 1, 1))
        cast of text|({text})::boolean
    """,
    "date": r"""
        date arithmetic|{date} + {small}
        date arithmetic|({date} - interval '1 month')::date
        date arithmetic|(date_trunc('month', {date}::timestamp))::date
        date arithmetic|make_date(2000, {int}, 1)
        date arithmetic|date_bin('7 days', {date}::timestamp, '2001-01-01')::date
        cast of text|({text})::date
        cast of text|to_date({text}, 'YYYY')
        coalesce|coalesce({date}, date '2000-01-01')
        case|CASE WHEN {bool} THEN {date} END
    """,
    "json": r"""
        whole row as json|to_jsonb({row})
        whole row as json|row_to_json({row})::jsonb
        json constructor|jsonb_build_object('a', {any}, 'b', {any})
        json constructor|JSON_OBJECT('a': {any} RETURNING jsonb)
        json constructor|JSON_ARRAY({any}, {any} RETURNING jsonb)
        json constructor|to_jsonb({any})
        json operator|{json} -> 'profile'
        json operator|{json} - 'id'
        json operator|{json} || jsonb_build_object('z', {any})
        json query|jsonb_set({json}, '{a}', to_jsonb({any}))
        json query|jsonb_path_query_array({json}, '$.*')
        json query|jsonb_strip_nulls({json})
        cast of text|({text})::jsonb
    """,
    "arr": r"""
        array constructor|ARRAY[{text}, {text}]
        array constructor|string_to_array({text}, '@')
        array constructor|regexp_match({text}, '(.)(.)')
        array constructor|regexp_split_to_array({text}, '@')
        array constructor|ARRAY({query_text})
        array function|array_append({arr}, {text})
        array function|array_remove({arr}, {text})
        array function|({arr})[1:2]
    """,
    "bytes": r"""
        bytes|convert_to({text}, 'UTF8')
        bytes|substring({bytes} FROM 1 FOR 3)
        bytes|sha256({bytes})
        bytes|decode({text}, 'base64')
    """,
}
LITERALS = {
    "text": ("'a'", "''", "'Oslo'", "'[redacted]'", "'***@example.com'", "'alder'", "'zz'", "NULL", "E'\\x41'", "'@'"),
    "int": ("0", "1", "2", "7", "-1", "1960", "NULL", "2147483647"),
    "num": ("0", "1.5", "10000", "50000.0", "-1", "NULL"),
    "bool": ("true", "false", "NULL"),
    "date": ("date '1960-01-01'", "date '1990-06-01'", "NULL::date", "'infinity'::date"),
    "json": ("'{\"a\": 1}'::jsonb", "'[1, 2]'::jsonb", "NULL::jsonb"),
    "arr": ("ARRAY['a', 'b']", "'{}'::text[]", "NULL::text[]"),
    "bytes": (r"'\x41'::bytea", "''::bytea"),
    "small": ("0", "1", "2", "3", "-2"),
    "pattern": ("'^a'", "'[a-f]'", "'@'", "'.*z'", r"'(\w)\1'", "'['"),
    "like": ("'a%'", "'%@example.com'", "'_lder%'", "'%zz%'", "''"),
}
PARSED: dict[str, tuple[tuple[str, str], ...]] = {
    kind: tuple(
        (construct, template)
        for construct, _, template in (line.strip().partition("|") for line in block.strip().splitlines())
    )
    for kind, block in TEMPLATES.items()
}
TYPES = tuple(TEMPLATES)


@dataclass(frozen=True)
class Source:
    """Something in FROM: its alias, and its columns with their types in the generator's words."""

    alias: str
    columns: tuple[tuple[str, str], ...]

    def of(self, kind: str) -> list[str]:
        return [f"{self.alias}.{name}" for name, its in self.columns if its == kind]


@dataclass
class Writer:
    """One statement while it is being written: its choices, what it is made of, and names that were not given yet."""

    draw: DrawFn
    constructs: set[str] = field(default_factory=set)
    params: list[Any] = field(default_factory=list)
    names: int = 0
    budget: int = 14

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def one_in(self, n: int) -> bool:
        return bool(self.draw(st.integers(0, n - 1)) == n - 1)

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def note(self, construct: str) -> None:
        self.constructs.add(construct)

    def name(self) -> str:
        self.names += 1
        return f"t{self.names}"


def value(writer: Writer, kind: str, scope: list[Source], query: Any) -> str:
    """An expression of that type. `query(writer, kind, scope)` writes a sub-query of one column."""
    columns = [column for source in scope for column in source.of(kind)]
    choice = writer.number(0, 9)
    writer.budget -= 1
    if writer.budget <= 0 or choice < 5:
        if columns and choice != 0:
            return str(writer.pick(*columns))
        if kind == "int" and choice == 0 and len(writer.params) < 3:
            return _parameter(writer)
        return str(writer.pick(*LITERALS[kind]))
    construct, template = writer.pick(*PARSED[kind])
    writer.note(construct)
    return _PLACE.sub(lambda place: _fill(writer, place[1], place[0], scope, query), template)


def _fill(writer: Writer, word: str, as_written: str, scope: list[Source], query: Any) -> str:
    if word == "any":
        return value(writer, writer.pick(*TYPES), scope, query)
    if word == "row":
        return str(writer.pick(*(source.alias for source in scope))) if scope else "ROW(1)"
    if word.startswith("query_"):
        return str(query(writer, word.removeprefix("query_"), scope))
    if word in TEMPLATES:
        return value(writer, word, scope, query)
    if word in LITERALS:
        return str(writer.pick(*LITERALS[word]))
    return as_written  # braces of SQL's own, such as a path '{a}'


def _parameter(writer: Writer) -> str:
    writer.note("parameter")
    writer.params.append(writer.pick(1, 2, 3))
    return f"${len(writer.params)}::int"
