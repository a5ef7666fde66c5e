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


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """Something that must be permitted; `relation` None: the data source as a whole."""

    action: str
    relation: RelationName | None = None


@dataclass(frozen=True, slots=True, order=True)
class ClassifiedColumn:
    relation: RelationName
    column: str
    data_class: str


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
    return tuple(
        sorted(
            ClassifiedColumn(relation, column, data_class)
            for relation, columns in question.classes.items()
            for column, data_class in columns.items()
        )
    )


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
    }
    return orjson.dumps({name: value for name, value in attributes.items() if name in reads}).decode()


def entities_of(
    question: Question, relations: Collection[RelationName], columns: Collection[ClassifiedColumn]
) -> list[dict[str, Any]]:
    source = question.datasource
    schemas = {schema for schema, _ in relations}
    return [
        _principal_entity(question),
        _entity(datasource_uid(question), {"environment": question.environment}),
        *(_entity(_schema_uid(source, schema), parents=[datasource_uid(question)]) for schema in sorted(schemas)),
        *(_entity(table_uid(source, name), parents=[_schema_uid(source, name[0])]) for name in relations),
        *(
            _entity(
                column_uid(source, column),
                parents=[table_uid(source, column.relation), {"type": "DataClass", "id": column.data_class}],
            )
            for column in columns
        ),
    ]


def principal_uid(question: Question) -> Uid:
    return {"type": question.kind.capitalize(), "id": _text(question.name)}


def datasource_uid(question: Question) -> Uid:
    return {"type": "DataSource", "id": question.datasource}


def table_uid(source: str, relation: RelationName) -> Uid:
    return {"type": "Table", "id": _dotted(source, *relation)}


def column_uid(source: str, column: ClassifiedColumn) -> Uid:
    return {"type": "Column", "id": _dotted(source, *column.relation, column.column)}


def _schema_uid(source: str, schema: str) -> Uid:
    return {"type": "Schema", "id": _dotted(source, schema)}


def _principal_entity(question: Question) -> dict[str, Any]:
    attributes: dict[str, object] = {"name": _text(question.name)}
    if question.kind == "user":
        attributes["administrator"] = question.is_administrator
    else:
        attributes["owner"] = _text(question.owner)
    groups = [{"type": "Group", "id": _text(group)} for group in sorted(question.groups)]
    return _entity(principal_uid(question), attributes, groups)


def _entity(uid: Uid, attributes: Mapping[str, object] | None = None, parents: Collection[Uid] = ()) -> dict[str, Any]:
    return {"uid": uid, "attrs": attributes or {}, "parents": list(parents)}


def _dotted(source: str, *names: str) -> str:
    """Names as PostgreSQL prints them, so that a dot inside a name cannot pass for the dot between two."""
    return ".".join([source, *map(quoted, names)])


def quoted(name: str) -> str:
    return name if _PLAIN_NAME.match(name) else '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    """JSON may carry lone surrogates, which are not text anywhere else."""
    return value.encode("utf-8", "replace").decode()


def _long(value: int | None) -> int:
    return -1 if value is None else min(value, _MAX_LONG)
