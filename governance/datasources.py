"""Data sources: adding them, and fetching them for a principal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from psycopg.conninfo import make_conninfo

from audit import ledger
from governance.catalogue import store
from governance.catalogue.connection import DataSourceError, address_of, open_connection, parse_dsn
from governance.catalogue.read import read_catalogue
from governance.errors import UnknownDataSource
from governance.models import DataSource, Environment
from identity.principals import Principal

__all__ = ["DataSourceError", "add_datasource", "fetch_datasource_for", "list_datasources_for"]

ENGINES = ("postgres",)
OLDEST_SERVER = 140_000

# Roles that make the gateway's promises weaker than the database could hold them.
ROLE = """
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, ARRAY(
    SELECT p.rolname::text FROM pg_catalog.pg_roles p
    WHERE p.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
      AND pg_catalog.pg_has_role(r.rolname, p.oid, 'MEMBER') ORDER BY 1)
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""


def add_datasource(
    name: str,
    *,
    engine: str,
    dsn: str,
    environment: str,
    actor: str,
    warn: Callable[[str], None] = lambda _message: None,
) -> DataSource:
    """Connects, reads the catalogue, and records both. Raises `DataSourceError`; then nothing was added.

    `warn` is told what makes the data source less safe than it could be.
    """
    parameters = _checked(name, engine, dsn, environment)
    with open_connection(dsn) as connection:
        _refuse_old_server(connection)
        for message in _weaknesses(connection):
            warn(message)
        search_path = _search_path(connection)
        catalogue = read_catalogue(connection, search_path)
    datasource = DataSource(
        name=name,
        engine=engine,
        environment=environment,
        dsn=make_conninfo(**parameters),
        address=address_of(parameters),
        search_path=search_path,
    )
    try:
        with transaction.atomic():
            datasource.save(force_insert=True)
            _record_added(datasource, parameters, actor)
            store.store(datasource, catalogue, actor)
    except IntegrityError:
        raise _name_taken(name) from None
    return datasource


def fetch_datasource_for(principal: Principal, name: str) -> DataSource:
    """Raises `UnknownDataSource`, which says what this principal could have meant."""
    if "\x00" not in name and (found := DataSource.objects.filter(is_active=True, name=name).first()):
        return found
    visible = list_datasources_for(principal)
    known = ", ".join(datasource.name for datasource in visible[:20]) or "none"
    raise UnknownDataSource(f"There is no data source {name[:63]!r}.", remedy=f"Data sources: {known}.")


def list_datasources_for(principal: Principal) -> list[DataSource]:
    """All that are active: policies decide what may be done on each of them."""
    return list(DataSource.objects.filter(is_active=True))


def _checked(name: str, engine: str, dsn: str, environment: str) -> dict[str, str]:
    if engine not in ENGINES:
        raise DataSourceError(f"The engine {engine!r} is not supported.", f"Supported: {', '.join(ENGINES)}.")
    if environment not in Environment.values:
        raise DataSourceError(
            f"There is no environment {environment!r}.", f"Environments: {', '.join(Environment.values)}."
        )
    try:
        DataSource._meta.get_field("name").clean(name, None)
    except ValidationError as error:
        raise DataSourceError(
            f"{name!r} cannot be a name: {' '.join(error.messages)}", "Choose another name."
        ) from None
    if DataSource.objects.filter(name=name).exists():
        raise _name_taken(name)
    return parse_dsn(dsn)


def _name_taken(name: str) -> DataSourceError:
    return DataSourceError(
        f"There is a data source {name!r} already.",
        f"Choose another name, or read its catalogue anew: datasource sync {name}",
    )


def _refuse_old_server(connection: psycopg.Connection[Any]) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        found = connection.info.server_version // 10_000
        raise DataSourceError(f"The server is PostgreSQL {found}.", "PostgreSQL 14 or newer is needed.")


def _weaknesses(connection: psycopg.Connection[Any]) -> list[str]:
    row = connection.execute(ROLE).fetchone()
    if row is None:
        return []
    role, is_superuser, bypasses_rls, creates_roles, server_roles = row
    if is_superuser:
        return [
            f"The role {role} is a superuser: the database holds it back from nothing. Use a role that may only do "
            "what is meant to go through Countersign."
        ]
    held = [("BYPASSRLS", bypasses_rls), ("CREATEROLE", creates_roles), *((name, True) for name in server_roles)]
    return [
        f"The role {role} has {what}, which nothing that goes through Countersign should need."
        for what, has in held
        if has
    ]


def _search_path(connection: psycopg.Connection[Any]) -> list[str]:
    """The schemas that the role's own search path finds; pg_catalog always comes first by itself."""
    row = connection.execute("SELECT pg_catalog.current_schemas(false)::text[]").fetchone()
    found = [name for name in (row[0] if row else []) if name != "pg_catalog" and not name.startswith("pg_temp")]
    return found or ["public"]


def _record_added(datasource: DataSource, parameters: dict[str, str], actor: str) -> None:
    ledger.append_within(
        "datasource.added",
        actor=actor,
        datasource=datasource.name,
        environment=datasource.environment,
        engine=datasource.engine,
        host=parameters.get("host") or parameters["hostaddr"],
        database=parameters["dbname"],
    )
