"""Which versions are in force: what everything that is kept in a process is kept for.

A process that has asked believes the answer for a short lease, so that a statement seen before costs no question. Whoever
changes something waits until every lease that may still hold the old answer has run out, after the change is committed and
before it is reported as made (docs/decisions/0005-leases.md): what a person was told is in force is in force everywhere.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from governance.models import DataSource

IN_FORCE = """
SELECT (SELECT max(version) FROM governance_cataloguesnapshot WHERE datasource_id = %s),
       (SELECT count(*) FROM governance_classification WHERE datasource_id = %s),
       (SELECT max(id) FROM governance_classification WHERE datasource_id = %s),
       (SELECT version FROM governance_policyset WHERE is_active)
"""
# Clocks of two processes tick alike, but a sleep may end a little early.
MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Versions:
    """None where there is none yet. `classes`: how many and the newest id; a changed class is a new row and ids only
    grow, so these two tell every state from every other."""

    catalogue: int | None
    classes: tuple[int, int | None]
    policy: int | None


# By data source: until when (monotonic) an answer is believed.
_leases: dict[int, tuple[float, Versions]] = {}


def in_force(datasource: DataSource) -> Versions:
    lease = _leases.get(datasource.pk)
    now = time.monotonic()
    if lease is not None and now < lease[0]:
        return lease[1]
    versions = _ask(datasource)
    # From before the question was put: a change that committed meanwhile is waited for from its commit.
    _leases[datasource.pk] = (now + settings.LEASE_SECONDS, versions)
    return versions


def _ask(datasource: DataSource) -> Versions:
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE, [datasource.pk] * 3)
        catalogue, count, newest, policy = cursor.fetchone()
    return Versions(catalogue, (count, newest), policy)


def change() -> None:
    """Call it inside the transaction that changes a catalogue, a class or a policy set."""
    if not any(registered is _outlast_leases for _, registered, *_ in connection.run_on_commit):
        transaction.on_commit(_outlast_leases)


def _outlast_leases() -> None:
    forget()
    if settings.LEASE_SECONDS > 0:
        time.sleep(settings.LEASE_SECONDS + MARGIN)


def forget() -> None:
    _leases.clear()
