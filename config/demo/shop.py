"""The `shop` database on the embedded server: made once, recognised afterwards."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from config import services
from config.demo.shop_rows import Shop
from config.embedded import folders

NAME = "shop"
OWNER = "shop_owner"
GATEWAY = "shop_gateway"
# Written into the database when it is complete: one that was killed half-way lacks it and is made again.
COMPLETE = "The demo's shop, complete. Format 1."

SENSITIVE = {
    "public.customers.full_name": "person_name",
    "public.customers.email": "email",
    "public.customers.phone": "phone",
    "public.customers.street_address": "postal_address",
    "public.customers.postcode": "postal_address",
    "public.customers.date_of_birth": "date_of_birth",
    "public.customers.national_id": "national_id",
    "public.payment_cards.card_number": "card_number",
    "public.payment_cards.card_security_code": "card_security_code",
    "public.api_credentials.token": "secret",
    "public.api_credentials.secret": "secret",
    "public.employees.full_name": "person_name",
    "public.employees.email": "email",
    "public.employees.salary": "salary",
    "public.employees.bank_account": "bank_account",
    "public.support_tickets.body": "free_text",
}


def ensure_shop() -> str:
    """The address by which the gateway reaches the shop. What people changed in it since stays as it is."""
    password = folders.secret(folders.var_directory(), "shop-gateway-password")
    with psycopg.connect(services.superuser_url(), autocommit=True) as server:
        _ensure_roles(server, password)
        if not _is_complete(server):
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))
            server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(NAME), sql.Identifier(OWNER)))
            with psycopg.connect(services.superuser_url(NAME)) as session:
                _fill(session)
            server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(NAME), sql.Literal(COMPLETE)))
        host = f"{server.info.host}:{server.info.port}"
    return f"postgresql://{GATEWAY}:{password}@{host}/{NAME}"


def _ensure_roles(server: psycopg.Connection, password: str) -> None:
    known = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
    if OWNER not in known:
        server.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(OWNER)))
    verb = "ALTER" if GATEWAY in known else "CREATE"
    server.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(GATEWAY), sql.Literal(password)
        )
    )


def _is_complete(server: psycopg.Connection) -> bool:
    told = server.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [NAME]
    ).fetchone()
    return told == (COMPLETE,)


def _fill(session: psycopg.Connection) -> None:
    here = Path(__file__).parent
    session.execute(
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC; GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(NAME), sql.Identifier(NAME), sql.Identifier(GATEWAY)
        )
    )
    # The tables belong to the gateway's role, so that DDL works once people have approved it; the database does not.
    session.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(sql.Identifier(GATEWAY)))
    session.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(GATEWAY)))
    session.execute((here / "shop.sql").read_bytes())
    for table, columns, rows in Shop().tables():
        with session.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        if columns.startswith("id,"):
            session.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {len(rows)})".encode())
    session.execute((here / "shop_indexes.sql").read_bytes())
    session.execute("RESET ROLE")
    session.execute("ANALYZE")
