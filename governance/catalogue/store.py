"""Versions of catalogues in the control database, and the current one kept decoded in this process."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.db import connection, transaction

from audit import ledger
from governance.catalogue.connection import open_connection
from governance.catalogue.encode import Difference, compare, decode, digest, encode, is_current
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from governance.errors import UnknownDataSource
from governance.models import CatalogueSnapshot, DataSource
from governance.versions import Versions, change, in_force

# The ledger's entry names so many relations; the catalogue versions hold the rest.
NAMED_IN_LEDGER = 50
# Any number, as long as nothing else in the control database locks by it.
_LOCK = 0x6361746C

_decoded: dict[int, Catalogue] = {}


def current(datasource: DataSource, versions: Versions | None = None) -> Catalogue:
    """The newest version. One small SELECT, unless `versions` tells, finds out whether another process has synchronised."""
    version = (versions or in_force(datasource)).catalogue
    if version is None:
        raise UnknownDataSource(
            f"Data source {datasource.name} has no catalogue yet, so nothing on it can be understood.",
            remedy=f"Synchronise it: datasource sync {datasource.name}",
        )
    catalogue = _decoded.get(datasource.pk)
    if catalogue is None or catalogue.version != version:
        snapshot = CatalogueSnapshot.objects.get(datasource=datasource, version=version)
        if not is_current(snapshot.content):
            # Kept by an earlier release, so it lacks what decisions rest on now. Raises when the database is away.
            return synchronise(datasource, actor="gateway")
        catalogue = _decoded[datasource.pk] = decode(snapshot.content, version)
    return catalogue


def synchronise(datasource: DataSource, actor: str, *, note_unchanged: bool = True) -> Catalogue:
    """Reads the database and keeps what it found as a new version, if it differs. Raises `DataSourceError`.

    `note_unchanged`: also a reading that found nothing new is an entry in the ledger.
    """
    with transaction.atomic():
        _read_in_turn(datasource)
        with open_connection(datasource.dsn) as source:
            found = read_catalogue(source, datasource.search_path or ["public"])
        return store(datasource, found, actor, note_unchanged=note_unchanged)


def _read_in_turn(datasource: DataSource) -> None:
    """One reading of a data source at a time, up to its COMMIT: the newest version is the newest reading. Not by its row, which
    everything that refers to it would wait for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, datasource.pk])


def store(datasource: DataSource, found: Catalogue, actor: str, *, note_unchanged: bool = True) -> Catalogue:
    """Inside the caller's transaction. The row of the data source is the lock that numbers versions."""
    # Not against keys: whoever refers to the row holds the ledger when that is checked, and would be waited for in turn.
    DataSource.objects.select_for_update(no_key=True).get(pk=datasource.pk)
    newest = CatalogueSnapshot.objects.filter(datasource=datasource).order_by("-version").defer("content").first()
    found_digest = digest(found)
    is_new = newest is None or newest.digest != found_digest
    # A version holds thousands of functions: it is read only where something differs.
    before: Catalogue | None = found
    if is_new:
        before = decode(newest.content, newest.version) if newest and is_current(newest.content) else None
    if newest is None or is_new:
        newest = CatalogueSnapshot.objects.create(
            datasource=datasource,
            version=newest.version + 1 if newest else 1,
            digest=found_digest,
            content=encode(found),
        )
        change()
    if is_new or note_unchanged:
        _record(datasource, newest.version, compare(before, found), actor)
    return replace(found, version=newest.version)


def _record(datasource: DataSource, version: int, difference: Difference, actor: str) -> None:
    ledger.append_within(
        "datasource.synchronised",
        actor=actor,
        datasource=datasource.name,
        environment=datasource.environment,
        catalogue_version=version,
        added=_shortened(difference.added),
        removed=_shortened(difference.removed),
        changed=_shortened(difference.changed),
    )


def _shortened(names: Collection[str]) -> list[str]:
    listed = list(names)[:NAMED_IN_LEDGER]
    left = len(names) - len(listed)
    return [*listed, f"… and {left} more"] if left else listed
