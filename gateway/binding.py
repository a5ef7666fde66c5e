"""What an approval is bound to (P4): the digest, and its parts, by which a later difference is named."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from approvals.digest import shape_of, statement_digest
from approvals.shapes import shapes_of
from gateway.drivers import driver_for
from gateway.models import Query
from gateway.work import source_of
from governance.analysis.facts import WRITING_USES
from governance.assessment import Assessment
from governance.catalogue.model import Function, Relation
from governance.errors import GatewayError

logger = logging.getLogger(__name__)


def digest_of(query: Query, assessment: Assessment) -> str:
    return statement_digest(sql=query.sql, params=query.params, **_around(query, assessment))


def bound_shape(query: Query, assessment: Assessment) -> str:
    """The same without text and parameters: what a grant is bound to, since it covers other values than those approved."""
    return statement_digest(sql="", params=[], **_around(query, assessment))


def _around(query: Query, assessment: Assessment) -> dict[str, Any]:
    source = source_of(query.datasource)
    return {
        "datasource": query.datasource.name,
        "role": driver_for(query.datasource.engine).role_of(source),
        "search_path": source.search_path,
        "shape": shape_of(_touched(assessment), _called(assessment)),
    }


def bound_of(query: Query, assessment: Assessment) -> dict[str, Any]:
    source = source_of(query.datasource)
    return {
        "role": driver_for(query.datasource.engine).role_of(source),
        "search_path": list(source.search_path),
        **shapes_of(_touched(assessment), _called(assessment)),
    }


def sizes_of(query: Query, assessment: Assessment) -> dict[str, int]:
    """About how many rows what it writes has. Raises `GatewayError`."""
    written = sorted({(use.schema, use.name) for use in assessment.facts.relations if use.use in WRITING_USES})
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


def _touched(assessment: Assessment) -> Collection[Relation]:
    relations = assessment.script.catalogue.relations
    touched = (relations.get((use.schema, use.name)) for use in assessment.facts.relations)
    return {relation.qualified: relation for relation in touched if relation}.values()


def _called(assessment: Assessment) -> list[Function]:
    functions = assessment.script.catalogue.functions
    called = {(use.schema, use.name) for use in assessment.facts.functions if use.schema != "pg_catalog"}
    return [one for schema, name in called for one in functions.get(name, ()) if one.schema == schema]
