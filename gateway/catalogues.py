"""When catalogues are read anew: after a definition that ran through the gateway, and on a schedule. When a name is not found
is in governance/assessment.py."""

from __future__ import annotations

import logging

from governance.analysis.facts import Facts, Kind, Use
from governance.analysis.overlay import TEMPORARY
from governance.catalogue import store
from governance.errors import GatewayError
from governance.models import DataSource

logger = logging.getLogger(__name__)


def read_after(datasource: DataSource, facts: Facts) -> bool:
    """Whether what has just been committed made a new reading necessary, and it succeeded."""
    return _changes_definitions(facts) and _read(datasource, note_unchanged=True)


def read_all() -> int:
    """How many data sources could be read. One that is away does not keep the others waiting for long."""
    return sum(_read(datasource, note_unchanged=False) for datasource in DataSource.objects.filter(is_active=True))


def _changes_definitions(facts: Facts) -> bool:
    defined = [use for use in facts.relations if use.use is Use.DEFINE]
    passing = bool(defined) and all(use.schema == TEMPORARY for use in defined)
    return Kind.DDL in facts.kinds and not passing


def _read(datasource: DataSource, *, note_unchanged: bool) -> bool:
    try:
        store.synchronise(datasource, actor="gateway", note_unchanged=note_unchanged)
    except GatewayError as error:
        logger.warning("The catalogue of %s was not read again: %s", datasource.name, error.message)
        return False
    return True
