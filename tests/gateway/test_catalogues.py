"""When a catalogue is read anew."""

from __future__ import annotations

from audit.models import Entry
from gateway import catalogues
from gateway.pipeline import check, submit
from gateway.tasks import read_catalogues
from governance import assessment
from governance.analysis.analyse import analyse
from governance.catalogue import store
from governance.models import DataSource
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase


def test_a_definition_that_ran_is_read_at_once(cast: Cast, shop: TargetDatabase) -> None:
    facts = analyse("CREATE TABLE fresh (id integer)", store.current(cast.datasource)).facts
    shop.admin.execute("CREATE TABLE fresh (id integer)")
    assert catalogues.read_after(cast.datasource, facts)
    assert ("public", "fresh") in store.current(cast.datasource).relations


def test_a_type_without_a_relation_is_a_definition_too(cast: Cast, shop: TargetDatabase) -> None:
    facts = analyse("CREATE TYPE mood AS ENUM ('good')", store.current(cast.datasource)).facts
    shop.admin.execute("CREATE TYPE mood AS ENUM ('good')")
    assert catalogues.read_after(cast.datasource, facts)
    assert store.current(cast.datasource).types["public", "mood"].labels == ("good",)


def test_what_defines_nothing_that_stays_does_not_read(cast: Cast) -> None:
    for sql in ("SELECT 1", "CREATE TEMP TABLE passing (id integer)"):
        assert not catalogues.read_after(cast.datasource, analyse(sql, store.current(cast.datasource)).facts)


def test_the_schedule_reads_every_data_source_whatever_becomes_of_one(cast: Cast, shop: TargetDatabase) -> None:
    away = DataSource.objects.create(
        name="away", engine="postgres", environment="dev", dsn="postgresql://x:y@127.0.0.1:1/z", search_path=["public"]
    )
    shop.admin.execute("CREATE TABLE fresh (id integer)")
    assert away.is_active
    assert read_catalogues() == 1
    assert ("public", "fresh") in store.current(cast.datasource).relations


def test_the_schedule_leaves_no_entry_where_nothing_changed(cast: Cast) -> None:
    store.synchronise(cast.datasource, actor="test")
    before = Entry.objects.count()
    assert read_catalogues() == 1
    assert Entry.objects.count() == before


def test_a_function_or_type_that_is_not_found_is_looked_for_again(cast: Cast, shop: TargetDatabase) -> None:
    shop.admin.execute("CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    shop.admin.execute("CREATE TYPE public.mood AS ENUM ('good')")
    assert check(cast.submission("SELECT fresh(), 'good'::public.mood")).facts.unknown == ()


def test_a_changed_function_is_read_anew(cast: Cast, shop: TargetDatabase) -> None:
    shop.admin.execute("CREATE FUNCTION fresh() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'")
    assert submit(cast.submission("SELECT fresh()")).query.row_count == 1
    shop.admin.execute(
        "CREATE OR REPLACE FUNCTION fresh() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders'"
    )
    store.synchronise(cast.datasource, actor="test")
    assessment.forget()
    assert "public.orders" in check(cast.submission("SELECT fresh()")).facts.read


def test_a_catalogue_of_an_earlier_release_is_read_anew(cast: Cast) -> None:
    from governance.models import CatalogueSnapshot

    snapshot = CatalogueSnapshot.objects.get(datasource=cast.datasource)
    snapshot.content["format"] -= 1
    CatalogueSnapshot.objects.filter(pk=snapshot.pk).update(content=snapshot.content, digest="0" * 64)
    store._decoded.clear()
    assert ("public", "orders") in store.current(cast.datasource).relations
