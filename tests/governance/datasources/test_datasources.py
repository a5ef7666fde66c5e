"""Adding data sources, reading them anew, and fetching them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from audit import ledger
from audit.models import Entry
from governance.catalogue import store
from governance.catalogue.connection import parse_dsn
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from governance.datasources import DataSourceError, add_datasource, fetch_datasource_for, list_datasources_for
from governance.errors import UnknownDataSource
from governance.models import CatalogueSnapshot, DataSource
from identity.principals import Principal, PrincipalKind
from tests.fixtures.databases import MakeTarget, TargetDatabase

PRINCIPAL = Principal(PrincipalKind.AGENT, 1, "bot", 1, "ada", frozenset())


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database("CREATE TABLE customers (id int PRIMARY KEY, email text)")


def add(
    target: TargetDatabase,
    *,
    name: str = "shop",
    engine: str = "postgres",
    environment: str = "prod",
    dsn: str | None = None,
) -> DataSource:
    found = target.dsn if dsn is None else dsn
    return add_datasource(name, engine=engine, dsn=found, environment=environment, actor="user:root")


def entries() -> list[str]:
    return list(Entry.objects.order_by("index").values_list("kind", flat=True))


def password_of(target: TargetDatabase) -> str:
    return parse_dsn(target.dsn)["password"]


def test_adding_reads_the_catalogue_and_records_both(control_db: str, target: TargetDatabase) -> None:
    before = len(entries())
    datasource = add(target)
    assert ("public", "customers") in store.current(datasource).relations
    assert datasource.search_path == ["public"]
    assert entries()[before:] == ["datasource.added", "datasource.synchronised"]


def test_the_password_is_sealed_and_in_no_entry(control_db: str, target: TargetDatabase) -> None:
    datasource = add(target)
    assert password_of(target) not in datasource.address
    with connection.cursor() as cursor:
        cursor.execute("SELECT dsn FROM governance_datasource")
        assert password_of(target).encode() not in bytes(cursor.fetchone()[0])
        cursor.execute("SELECT string_agg(e::text, ' ') FROM audit_entry e")
        assert password_of(target) not in cursor.fetchone()[0]
    assert parse_dsn(DataSource.objects.get().dsn)["password"] == password_of(target)


@pytest.mark.parametrize(
    ("changes", "message", "remedy"),
    [
        ({"engine": "oracle"}, "'oracle' is not supported", "Supported: postgres."),
        ({"environment": "production"}, "no environment 'production'", "dev, staging, prod"),
        ({"name": "The Shop"}, "cannot be a name", "Choose another"),
        ({"name": "x" * 64}, "cannot be a name", "Choose another"),
        ({"dsn": ""}, "names no host", "postgresql://"),
        ({"dsn": "postgresql://h"}, "names no database", "postgresql://"),
        ({"dsn": "host=h dbname=d service=s"}, "service file", "postgresql://"),
        ({"dsn": "postgresql://u:s3cret@h:99:99/d"}, "cannot let", ""),
        ({"dsn": "s3cret no dsn"}, "cannot be read", "postgresql://"),
    ],
)
def test_wrong_input_is_refused_with_a_remedy(
    control_db: str, target: TargetDatabase, changes: dict[str, str], message: str, remedy: str
) -> None:
    with pytest.raises(DataSourceError) as caught:
        add(target, **changes)
    if message != "cannot let":
        assert message in caught.value.message
    assert remedy in caught.value.remedy
    assert "s3cret" not in caught.value.message + caught.value.remedy
    assert not DataSource.objects.exists()


def test_a_wrong_password_is_refused_without_showing_it(control_db: str, target: TargetDatabase) -> None:
    wrong = target.dsn.replace(password_of(target), "wr0ng-word")
    with pytest.raises(DataSourceError) as caught:
        add(target, dsn=wrong)
    assert "does not let Countersign in" in caught.value.message
    assert "wr0ng-word" not in caught.value.message
    assert caught.value.__cause__ is None


def test_a_server_that_is_away_is_told(control_db: str, target: TargetDatabase) -> None:
    with pytest.raises(DataSourceError, match="does not let Countersign in"):
        add(target, dsn="postgresql://u:p@127.0.0.1:1/d")


def test_a_name_is_taken_once(control_db: str, target: TargetDatabase) -> None:
    add(target)
    with pytest.raises(DataSourceError, match="already"):
        add(target)
    assert CatalogueSnapshot.objects.count() == 1


def test_a_superuser_is_warned_of(control_db: str, target: TargetDatabase) -> None:
    told: list[str] = []
    add_datasource(
        "shop", engine="postgres", dsn=target.admin_dsn, environment="prod", actor="user:root", warn=told.append
    )
    assert len(told) == 1
    assert "is a superuser" in told[0]


def test_a_plain_role_is_not_warned_of(control_db: str, target: TargetDatabase) -> None:
    told: list[str] = []
    add_datasource("shop", engine="postgres", dsn=target.dsn, environment="prod", actor="a", warn=told.append)
    assert told == []


def test_nothing_is_added_when_the_ledger_cannot_write(
    control_db: str, target: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("away")

    monkeypatch.setattr(ledger, "append_within", away)
    with pytest.raises(ledger.LedgerUnavailable):
        add(target)
    assert not DataSource.objects.exists()


def test_a_new_version_only_when_something_changed(control_db: str, target_database: MakeTarget) -> None:
    target = target_database("CREATE TABLE a (id int)")
    datasource = add(target)
    assert store.synchronise(datasource, "user:root").version == 1
    target.admin.execute("CREATE TABLE b (id int)")
    assert store.synchronise(datasource, "user:root").version == 2
    assert ("public", "b") in store.current(datasource).relations
    entry = Entry.objects.filter(kind="datasource.synchronised").order_by("-index").first()
    assert entry is not None
    assert b'"added":["public.b"]' in bytes(entry.header)


def test_another_process_sees_a_new_version_at_once(control_db: str, target_database: MakeTarget) -> None:
    target = target_database("CREATE TABLE a (id int)")
    datasource = add(target)
    cached = store.current(datasource)
    assert store.current(datasource) is cached
    target.admin.execute("CREATE TABLE b (id int)")
    store.synchronise(datasource, "user:root")
    store._decoded[datasource.pk] = cached  # as a process that has not looked since
    assert store.current(datasource).version == 2


def test_the_search_path_of_the_role_is_kept(control_db: str, target_database: MakeTarget) -> None:
    target = target_database()
    target.admin.execute(f"CREATE SCHEMA sales AUTHORIZATION {target.role}")
    target.admin.execute(f"ALTER ROLE {target.role} SET search_path = sales, pg_catalog, missing, public")
    datasource = add(target)
    assert datasource.search_path == ["sales", "public"]
    assert store.current(datasource).search_path == ("sales", "public")


def test_an_unknown_name_lists_the_known(control_db: str, target: TargetDatabase) -> None:
    add(target)
    with pytest.raises(UnknownDataSource) as caught:
        fetch_datasource_for(PRINCIPAL, "shup")
    assert "shop" in caught.value.remedy


def test_an_inactive_data_source_is_not_there(control_db: str, target: TargetDatabase) -> None:
    add(target)
    assert fetch_datasource_for(PRINCIPAL, "shop").name == "shop"
    DataSource.objects.update(is_active=False)
    assert list_datasources_for(PRINCIPAL) == []


def test_a_data_source_without_a_catalogue_is_told(control_db: str, target: TargetDatabase) -> None:
    datasource = add(target)
    CatalogueSnapshot.objects.all().delete()
    with pytest.raises(UnknownDataSource, match="no catalogue"):
        store.current(datasource)


def test_an_older_reading_never_becomes_the_newest_version(
    control_db: str, target_database: MakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = target_database("CREATE TABLE raced (id integer)")
    datasource = add(target)
    right, has_read, go_on = read_catalogue, threading.Event(), threading.Event()

    def slow_at_first(*given: Any) -> Catalogue:
        found = right(*given)
        if not has_read.is_set():
            has_read.set()
            assert go_on.wait(20)
        return found

    def synchronise() -> None:
        store.synchronise(datasource, "user:root")
        connection.close()

    monkeypatch.setattr("governance.catalogue.store.read_catalogue", slow_at_first)
    older, newer = (threading.Thread(target=synchronise) for _ in range(2))
    older.start()
    assert has_read.wait(20)
    target.admin.execute("ALTER TABLE raced ADD COLUMN added text")
    newer.start()
    newer.join(1)
    go_on.set()
    for thread in (older, newer):
        thread.join(20)
    raced = store.current(datasource).relations["public", "raced"]
    assert raced.column("added") is not None
