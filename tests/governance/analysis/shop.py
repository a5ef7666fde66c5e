"""A small catalogue by hand: analysis is pure, so its tests need no database."""

from __future__ import annotations

from governance.analysis.analyse import Analysis, analyse
from governance.analysis.facts import Facts
from governance.catalogue.model import (
    Catalogue,
    Column,
    ForeignKey,
    Function,
    Operator,
    Relation,
    RelationKind,
    RelationName,
    Rule,
    Trigger,
    Type,
    Volatility,
)

TABLE, VIEW = RelationKind.TABLE, RelationKind.VIEW


def table(name: str, columns: str, *keys: str, **more: object) -> Relation:
    """`columns` are written `id:integer email:text`; each of `keys` names columns."""
    parts = (column.partition(":") for column in columns.split())
    return Relation(
        schema="public",
        name=name,
        kind=more.pop("kind", TABLE),  # type: ignore[arg-type]
        columns=tuple(Column(column, type_ or "text", type_ or "text") for column, _, type_ in parts),
        keys=tuple(frozenset(key.split()) for key in keys),
        **more,  # type: ignore[arg-type]
    )


def function(
    name: str, *, schema: str = "pg_catalog", kind: str = "f", volatility: str = "i", language: str = "internal"
) -> Function:
    return Function(schema, name, kind, Volatility(volatility), language)


WATCH = Trigger("watch", "after", ("insert", "update", "delete"), True, ("public", "watched"))
RELATIONS = (
    table("customers", "id:integer name email city", "id", "email"),
    table("orders", "id:integer customer_id:integer status total:numeric", "id", estimated_rows=50_000),
    table(
        "items", "order_id:integer line:integer product", "order_id line",
        foreign_keys=(ForeignKey(("order_id",), ("public", "orders"), ("id",), "c", "a"),),
    ),
    table("audited", "id:integer body", "id", triggers=(WATCH,)),
    table("ruled", "id:integer body", "id", rules=(Rule("other", "update"),)),
    table("pg_stats", "id:integer most_common_vals"),
    table("remote", "id:integer", kind=RelationKind.FOREIGN),
    table("peek_at", "id:integer leak"),
    table("mails", "id:integer mail", kind=VIEW, definition="SELECT id, lower(email) AS mail FROM public.customers"),
    table("nested", "mail", kind=VIEW, definition="SELECT m.mail FROM public.mails m"),
    table("hidden", "x", kind=VIEW, definition="SELECT x FROM public.nowhere"),
    table(
        "stored", "id:integer mail", kind=RelationKind.MATERIALIZED_VIEW,
        definition="SELECT id, email FROM public.customers",
    ),
    table("town_orders", "id:integer", kind=VIEW, definition="SELECT id FROM public.orders"),
)  # fmt: skip
FUNCTIONS = (
    function("lower"), function("count", kind="a"), function("max", kind="a"), function("now", volatility="s"),
    function("generate_series"), function("nextval", volatility="v"), function("pg_sleep", volatility="v"),
    function("pg_read_file", volatility="v"), function("query_to_xml", volatility="v"),
    function("current_setting", volatility="s"), function("random", volatility="v"), function("name"),
    function("row_to_json", volatility="s"),
    function("leak", schema="public", volatility="s", language="sql"),
    function("similarity", schema="public", language="c"),
    function("crosstab", schema="public", volatility="s", language="c"),
    function("every_one", schema="public", kind="a"),
    function("elsewhere", schema="other", language="sql"),
)  # fmt: skip


def catalogue() -> Catalogue:
    functions: dict[str, tuple[Function, ...]] = {}
    for one in FUNCTIONS:
        functions[one.name] = (*functions.get(one.name, ()), one)
    relations: dict[RelationName, Relation] = {(one.schema, one.name): one for one in RELATIONS}
    return Catalogue(
        1,
        ("public",),
        relations,
        functions,
        {("public", "mood"): Type("e", labels=("good", "bad"))},
        {name: (Operator("public", name, "integer", "integer", ("public", "leak")),) for name in ("===", "~=")},
        frozenset({"public"}),
    )


SHOP = catalogue()


def read(sql: str) -> Analysis:
    return analyse(sql, SHOP)


def facts(sql: str) -> Facts:
    return read(sql).facts


def uses(sql: str) -> set[str]:
    """`read customers`, `delete orders`: relations without their schema."""
    return {f"{use.use.value} {use.name}" for use in facts(sql).relations}
