"""History cannot be rewritten: the database refuses, whoever asks."""

from __future__ import annotations

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from audit import ledger
from audit.models import Entry
from audit.transparency import keys

REFUSED = "append-only, history cannot be rewritten"


@pytest.fixture
def session(control_db: str):
    """As superuser, who may do anything else."""
    ledger.append("statement.denied", principal="agent:a", payload={"sql": "SELECT 1"})
    with psycopg.connect(control_db, autocommit=True) as session:
        yield session


@pytest.mark.parametrize("table", ["audit_entry", "audit_payload"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET index = index", "UPDATE {} SET index = 9 WHERE false", "DELETE FROM {}", "TRUNCATE {}"],
)
def test_p6_the_database_refuses_to_change_history(session: psycopg.Connection, table: str, statement: str):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute(sql.SQL(statement).format(sql.Identifier(table)))


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM audit_head", "TRUNCATE audit_head", "UPDATE audit_head SET size = 0, frontier = ''"],
)
def test_p6_the_database_refuses_to_take_the_head_back(session: psycopg.Connection, statement: str):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute(statement)


@pytest.mark.parametrize(
    "table", ["audit_tile", "audit_checkpoint", "audit_subjectkey", "audit_archive", "audit_logkey"]
)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}"])
def test_p6_the_database_refuses_to_forget_what_proves_the_log(session: psycopg.Connection, table: str, statement: str):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute(sql.SQL(statement).format(sql.Identifier(table)))


def test_p6_the_first_entry_does_not_move_without_an_archive(session: psycopg.Connection):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute("UPDATE audit_head SET first = size")


def test_p6_an_archive_that_no_entry_tells_of_moves_nothing(session: psycopg.Connection):
    session.execute(
        "INSERT INTO audit_archive SELECT 0, size, '/nowhere', repeat('0', 64), 1, now(), now(), 0, now() FROM audit_head"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute("UPDATE audit_head SET first = size")


@pytest.mark.parametrize("table", ["audit_entry", "audit_payload"])
def test_p6_a_temporary_table_is_not_taken_for_the_head(session: psycopg.Connection, table: str):
    session.execute("CREATE TEMPORARY TABLE audit_head AS SELECT 1 AS id, 1000000 AS first")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def test_p6_the_key_of_the_log_is_not_exchanged(session: psycopg.Connection):
    keys.current_key()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        session.execute("UPDATE audit_logkey SET public = sha256('mine')")


def test_an_entry_is_neither_saved_nor_deleted_as_an_object(control_db: str):
    ledger.append("statement.denied", principal="agent:a")
    entry = Entry.objects.get()
    with pytest.raises(TypeError, match="append_within"):
        entry.save()
    with pytest.raises(TypeError, match="never deleted"):
        entry.delete()


def test_there_is_one_head_only(session: psycopg.Connection):
    with pytest.raises(psycopg.errors.CheckViolation, match="head_is_one_row"):
        session.execute("INSERT INTO audit_head (id, size, frontier, epoch, time) VALUES (2, 0, '', 0, now())")


def test_the_migrations_can_be_undone_and_done_again(control_db: str):
    """Undoing drops the log with its tables: on an empty one, nothing is lost."""
    call_command("migrate", "audit", "zero", verbosity=0, skip_checks=True)
    assert "audit_entry" not in connection.introspection.table_names()
    call_command("migrate", "audit", verbosity=0, skip_checks=True)
    assert ledger.append("statement.denied", principal="agent:a").index == 0
