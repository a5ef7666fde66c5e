"""A question to the policies, and its form in Cedar: entities, context, and what must be permitted. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from governance.analysis.facts import WRITING_USES, Facts, Kind, Use
from governance.catalogue.model import RelationName
from governance.classes import split_place

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*\Z")
_MAX_LONG = 2**63 - 1
_ADMINISTERED = frozenset({Kind.PRIVILEGE, Kind.ADMIN, Kind.SESSION, Kind.TRANSACTION, Kind.OPAQUE})
_ACTION_OF_USE = {Use.READ: "read", Use.DEFINE: "define", Use.LOCK: "write"} | dict.fromkeys(WRITING_USES, "write")

Uid = dict[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """May this principal run this statement, now, and what may it see?

    `classes` are the classes of the columns of every relation that the statement touches, views' own base relations
    included: each of these columns is asked for, whether or not the facts list its relation. `now` has a time zone.
    """

    principal: str
    kind: Literal["user", "agent"]
    name: str
    groups: frozenset[str]
    owner: str
    is_administrator: bool
    datasource: str
    environment: str
    facts: Facts
    classes: Mapping[RelationName, Mapping[str, str]]
    door: str
    now: datetime
    purpose: str = ""
    on_behalf_of: str = ""
    run: str = ""
    risk: int = 0
    estimated_rows: int | None = None
    minutes: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """Something that must be permitted; `relation` None: the data source as a whole."""

    action: str
    relation: RelationName | None = None


@dataclass(frozen=True, slots=True, order=True)
class ClassifiedColumn:
    """`path`: a place inside a JSON column, or empty for the whole of it."""

    relation: RelationName
    column: str
    data_class: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """All that policies can see of a principal; `type` is Cedar's: User or Agent."""

    type: str
    name: str
    groups: frozenset[str]
    owner: str
    is_administrator: bool


def who_asks(question: Question) -> Who:
    return Who(
        question.kind.capitalize(),
        _text(question.name),
        question.groups,
        question.owner,
        question.is_administrator,
    )


def needs_of(facts: Facts) -> tuple[Need, ...]:
    """Never empty. Every kind is covered by a need, so that facts without relations still ask somebody."""
    needs = {Need(_ACTION_OF_USE[use.use], (use.schema, use.name)) for use in facts.relations}
    asked = {need.action for need in needs}
    if Kind.READ in facts.kinds and "read" not in asked:
        needs.add(Need("read"))
    if Kind.WRITE in facts.kinds and "write" not in asked:
        needs.add(Need("write"))
    if Kind.DDL in facts.kinds and "define" not in asked:
        needs.add(Need("define"))
    if facts.kinds & _ADMINISTERED or not facts.kinds:
        needs.add(Need("administer"))
    return tuple(sorted(needs, key=lambda need: (need.action, need.relation or ())))


def classified_columns(question: Question) -> tuple[ClassifiedColumn, ...]:
    found = sorted(
        (relation, key, data_class)
        for relation, columns in question.classes.items()
        for key, data_class in columns.items()
    )
    return tuple(_classified(*one) for one in found)


def _classified(relation: RelationName, key: str, data_class: str) -> ClassifiedColumn:
    column, path = split_place(key) if "$" in key else (key, "")
    return ClassifiedColumn(relation, column, data_class, path)


def context_of(question: Question, reads: Collection[str]) -> str:
    """Only the attributes that some policy reads: building the context is most of what a decision costs."""
    facts = question.facts
    moment = question.now.astimezone(UTC)
    attributes = {
        "kinds": sorted(facts.kinds),
        "uses": sorted({use.use for use in facts.relations}),
        "hazards": sorted(facts.hazard_codes),
        "functions": sorted({f"{function.schema}.{function.name}" for function in facts.functions}),
        "unread": bool(facts.unknown),
        "unknown": sorted({_text(unknown.what) for unknown in facts.unknown}),
        "byKey": facts.by_key,
        "rowsInserted": _long(facts.rows_inserted),
        "written": len(facts.written),
        "estimatedRows": _long(question.estimated_rows),
        "risk": question.risk,
        "environment": question.environment,
        "door": question.door,
        "purpose": _text(question.purpose),
        "onBehalfOf": _text(question.on_behalf_of),
        "hasRun": bool(question.run),
        "hour": moment.hour,
        "weekday": moment.isoweekday(),
        "datasource": _text(question.datasource),
        "minutes": question.minutes,
    }
    return orjson.dumps({name: value for name, value in attributes.items() if name in reads}).decode()


def entities_of(
    who: Who,
    source: str,
    environment: str,
    relations: Collection[RelationName],
    columns: Collection[ClassifiedColumn],
) -> list[dict[str, Any]]:
    schemas = sorted({schema for schema, _ in relations})
    return [
        principal_entity(who),
        _entity(datasource_uid(source), {"environment": environment}),
        *(_entity(schema_uid(source, schema), parents=[datasource_uid(source)]) for schema in schemas),
        *(_entity(table_uid(source, name), parents=[schema_uid(source, name[0])]) for name in relations),
        *(
            _entity(
                column_uid(source, column),
                parents=[table_uid(source, column.relation), {"type": "DataClass", "id": column.data_class}],
            )
            for column in columns
        ),
    ]


def datasource_uid(source: str) -> Uid:
    return {"type": "DataSource", "id": source}


def schema_uid(source: str, schema: str) -> Uid:
    return {"type": "Schema", "id": _dotted(source, schema)}


def table_uid(source: str, relation: RelationName) -> Uid:
    return {"type": "Table", "id": _dotted(source, *relation)}


def column_uid(source: str, column: ClassifiedColumn) -> Uid:
    name = _dotted(source, *column.relation, column.column)
    return {"type": "Column", "id": f"{name}:{column.path}" if column.path else name}


def principal_entity(who: Who) -> dict[str, Any]:
    attributes: dict[str, object] = {"name": who.name}
    if who.type == "User":
        attributes["administrator"] = who.is_administrator
    else:
        attributes["owner"] = _text(who.owner)
    groups = [{"type": "Group", "id": _text(group)} for group in sorted(who.groups)]
    return _entity({"type": who.type, "id": who.name}, attributes, groups)


def _entity(uid: Uid, attributes: Mapping[str, object] | None = None, parents: Collection[Uid] = ()) -> dict[str, Any]:
    return {"uid": uid, "attrs": attributes or {}, "parents": list(parents)}


def _dotted(source: str, *names: str) -> str:
    """Names as PostgreSQL prints them, so that a dot inside a name cannot pass for the dot between two."""
    return ".".join([source, *map(quoted, names)])


def quoted(name: str) -> str:
    return name if _PLAIN_NAME.match(name) else '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    """JSON may carry lone surrogates, which are not text anywhere else."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _long(value: int | None) -> int:
    return -1 if value is None else min(value, _MAX_LONG)
