"""What an approval is bound to (P4): the digest, and its parts, by which a later difference is named."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from approvals.digest import shape_of, statement_digest
from approvals.shapes import shapes_of
from gateway.drivers import driver_for
from gateway.models import Query
from gateway.work import source_of
from governance.analysis.conversions import type_name_of
from governance.analysis.effects import concerned
from governance.analysis.facts import WRITING_USES, Use
from governance.assessment import Assessment
from governance.catalogue.model import Function, Relation, RelationKind, RelationName, Type
from governance.errors import GatewayError
from governance.models import DataSource

logger = logging.getLogger(__name__)
STORED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALIZED_VIEW})


def digest_of(query: Query, assessment: Assessment) -> str:
    return statement_digest(sql=query.sql, params=query.params, **_around(query, assessment))


def bound_shape(query: Query, assessment: Assessment) -> str:
    """The same without text and parameters: what a grant is bound to, since it covers other values than those approved."""
    return statement_digest(sql="", params=[], **_around(query, assessment))


def address_of(datasource: DataSource) -> str:
    """Where statements go, as a digest: the same name must still mean the same database."""
    given = conninfo_to_dict(datasource.dsn)
    place = "|".join(str(given.get(name, "")) for name in ("host", "hostaddr", "port", "dbname"))
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def _around(query: Query, assessment: Assessment) -> dict[str, Any]:
    source = source_of(query.datasource)
    return {
        "datasource": f"{query.datasource.name}@{address_of(query.datasource)}",
        "role": driver_for(query.datasource.engine).role_of(source),
        "search_path": source.search_path,
        "shape": shape_of(*_touches(assessment)),
    }


def bound_of(query: Query, assessment: Assessment) -> dict[str, Any]:
    source = source_of(query.datasource)
    return {
        "address": address_of(query.datasource),
        "role": driver_for(query.datasource.engine).role_of(source),
        "search_path": list(source.search_path),
        **shapes_of(*_touches(assessment)),
    }


def sizes_of(query: Query, assessment: Assessment) -> dict[str, int]:
    """About how many rows what it writes or defines anew has. Raises `GatewayError`."""
    relations = assessment.script.catalogue.relations
    named = {(use.schema, use.name) for use in assessment.facts.relations if use.use in WRITING_USES | {Use.DEFINE}}
    written = sorted(name for name in named if name in relations and relations[name].kind in STORED)
    if not written:
        return {}
    return driver_for(query.datasource.engine).sizes_of(source_of(query.datasource), written)


def sizes_if_known(query: Query, assessment: Assessment) -> dict[str, int] | None:
    """Parking does not fail for them: without, the request needs an exact bound to run."""
    try:
        return sizes_of(query, assessment)
    except GatewayError as error:
        logger.warning("What query %s writes could not be measured: %s", query.pk, error.message)
        return None


def _touches(assessment: Assessment) -> tuple[Collection[Relation], list[Function], dict[RelationName, Type]]:
    relations, functions = _touched(assessment), _called(assessment)
    return relations, functions, _types(assessment, relations, functions)


def _touched(assessment: Assessment) -> Collection[Relation]:
    """Also those whose rows are rows of what it names: partitions and children."""
    catalogue = assessment.script.catalogue
    named = (catalogue.relations.get((use.schema, use.name)) for use in assessment.facts.relations)
    touched = (one for relation in named if relation for one in concerned(catalogue, relation, Use.UPDATE))
    return {relation.qualified: relation for relation in touched}.values()


def _types(
    assessment: Assessment, relations: Iterable[Relation], functions: Iterable[Function]
) -> dict[RelationName, Type]:
    """Of the columns, and of what functions take and give: domains decide what is a value, enums how values are ordered."""
    types = assessment.script.catalogue.types
    texts = {column.type for relation in relations for column in relation.columns}
    texts |= {text for one in functions for text in (*one.arguments, one.result.removeprefix("SETOF "))}
    names = {type_name_of(text) for text in texts}
    return {name: types[name] for name in names if name in types}


def _called(assessment: Assessment) -> list[Function]:
    functions = assessment.script.catalogue.functions
    called = {(use.schema, use.name) for use in assessment.facts.functions if use.schema != "pg_catalog"}
    return [one for schema, name in called for one in functions.get(name, ()) if one.schema == schema]
