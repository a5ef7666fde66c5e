"""How Countersign itself reaches a governed database, to read its catalogue. Secrets stay out of every message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from governance.errors import GatewayError

CONNECT_SECONDS = 5
LOCK_TIMEOUT_MS = 3_000
EXAMPLE = "postgresql://user:password@host:5432/database"


class DataSourceError(GatewayError):
    """Neither message nor remedy holds the password."""

    code = "datasource-error"
    title = "The data source cannot be added or read"
    status = 422
    default_sqlstate = "08001"

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)


def parse_dsn(dsn: str) -> dict[str, str]:
    """The parameters of a DSN that names at least a host and a database."""
    try:
        found = conninfo_to_dict(dsn)
    except psycopg.Error:
        # libpq's own message quotes the part that it stumbled over, which may be the password.
        raise DataSourceError(
            "The DSN cannot be read.", f"Write it as {EXAMPLE}, with special characters in the password %-encoded."
        ) from None
    parameters = {name: str(value) for name, value in found.items() if value not in (None, "")}
    if "service" in parameters:
        raise DataSourceError("The DSN names a service file.", f"Write the address out, as in {EXAMPLE}.")
    for name, title in (("host", "host"), ("dbname", "database")):
        if name not in parameters and not (name == "host" and "hostaddr" in parameters):
            raise DataSourceError(f"The DSN names no {title}.", f"Write it as {EXAMPLE}.")
    return parameters


def address_of(parameters: Mapping[str, str]) -> str:
    """What people see of a DSN: `host:port/database`."""
    host = parameters.get("host") or parameters["hostaddr"]
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{parameters.get('port', '5432')}/{parameters['dbname']}"[:300]


@contextmanager
def open_connection(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection; any error of the database, also inside the block, becomes a `DataSourceError`."""
    parameters = parse_dsn(dsn)
    connecting = make_conninfo(
        **{"application_name": "countersign", **parameters, "connect_timeout": str(CONNECT_SECONDS)}
    )
    try:
        connection = psycopg.connect(connecting, autocommit=True)
    except psycopg.Error as error:
        raise DataSourceError(
            f"{address_of(parameters)} does not let Countersign in: {scrubbed(error, parameters)}",
            "Check host, port, database, user and password, and that the server can be reached from here.",
        ) from None
    try:
        with connection:
            connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
            yield connection
    except psycopg.Error as error:
        raise DataSourceError(
            f"{address_of(parameters)} did not answer as expected: {scrubbed(error, parameters)}",
            "Check that the user may read pg_catalog, then try again.",
        ) from None


def scrubbed(error: psycopg.Error, parameters: Mapping[str, str]) -> str:
    text = " ".join(str(error).split())
    for secret in (parameters.get("password"), parameters.get("sslpassword")):
        if secret:
            text = text.replace(secret, "•••").replace(quote(secret, safe=""), "•••")
    return text
