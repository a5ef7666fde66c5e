"""The management commands: what they do, and how they refuse."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.classification import classes_of
from governance.models import CatalogueSnapshot, DataSource
from governance.policy import store
from tests.fixtures.databases import MakeTarget, TargetDatabase
from tests.governance.asking import READS


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database("CREATE TABLE customers (id int PRIMARY KEY, email text, phone text)")


def run(*arguments: Any) -> str:
    out, err = StringIO(), StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def shop(control_db: str, target: TargetDatabase) -> DataSource:
    run("datasource", "add", "shop", "--engine", "postgres", "--dsn", target.dsn, "--environment", "prod")
    return DataSource.objects.get(name="shop")


def test_add_says_what_was_added_and_what_to_do_next(control_db: str, target: TargetDatabase) -> None:
    told = run("datasource", "add", "shop", "--engine=postgres", "--dsn", target.dsn, "--environment=prod")
    assert "1 relations" in told
    assert "classify shop" in told
    assert target.dsn not in told


def test_the_dsn_can_come_from_a_file(control_db: str, target: TargetDatabase, tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text(f"{target.dsn}\n")
    run("datasource", "add", "shop", "--engine=postgres", "--dsn-file", tmp_path / "dsn", "--environment=dev")
    assert DataSource.objects.get().environment == "dev"


def test_the_dsn_can_come_from_the_environment(
    control_db: str, target: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_DATASOURCE_DSN", target.dsn)
    run("datasource", "add", "shop", "--engine=postgres", "--environment=dev")
    assert DataSource.objects.exists()


def test_a_superuser_is_warned_of_on_the_terminal(control_db: str, target: TargetDatabase) -> None:
    told = run("datasource", "add", "shop", "--engine=postgres", "--dsn", target.admin_dsn, "--environment=prod")
    assert "Warning:" in told
    assert "superuser" in told


ADD = ("datasource", "add", "shop", "--engine=postgres", "--environment=prod")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (ADD, "No DSN"),
        ((*ADD, "--dsn-file", "/nowhere"), "cannot be read"),
        ((*ADD, "--dsn", "postgresql://u:p@127.0.0.1:1/d"), "does not let Countersign in"),
        (("datasource", "add", "x", "--engine=mysql", "--environment=dev", "--dsn=x"), "Supported: postgres"),
        (("datasource", "sync", "nope"), "Data sources: none yet"),
        (("classify", "nope", "--list"), "There is no data source 'nope'"),
        (("classify", "nope"), "Say one thing"),
        (("policy", "check", "/nowhere"), "cannot be read"),
        (("policy", "show", "--version=99"), "no version 99"),
    ],
)
def test_wrong_use_is_told_in_words(control_db: str, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_sync_tells_whether_anything_changed(control_db: str, target_database: MakeTarget) -> None:
    own = target_database("CREATE TABLE a (id int)")
    run("datasource", "add", "shop", "--engine=postgres", "--dsn", own.dsn, "--environment=prod")
    assert "still at version 1" in run("datasource", "sync", "shop")
    own.admin.execute("CREATE TABLE b (id int)")
    assert "now at version 2" in run("datasource", "sync", "shop")
    own.admin.execute("CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    own.admin.execute("CREATE FUNCTION two() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 2; END'")
    assert "2 functions (1 that are not read)" in run("datasource", "sync", "shop")
    assert CatalogueSnapshot.objects.count() == 3


def test_list_shows_addresses_without_secrets(shop: DataSource, target: TargetDatabase) -> None:
    told = run("datasource", "list")
    assert shop.address in told
    assert target.dsn.split(":")[2].split("@")[0] not in told


def test_several_columns_are_classified_at_once(shop: DataSource) -> None:
    run("classify", "shop", "public.customers.email=email", "public.customers.phone=phone")
    assert classes_of(shop) == {("public", "customers"): {"email": "email", "phone": "phone"}}
    assert "public.customers.phone=phone" in run("classify", "shop", "--list")


def test_one_wrong_assignment_leaves_all_undone(shop: DataSource) -> None:
    with pytest.raises(CommandError, match="no column nope"):
        run("classify", "shop", "public.customers.email=email", "public.customers.nope=phone")
    assert classes_of(shop) == {}


def test_a_class_is_taken_away(shop: DataSource) -> None:
    run("classify", "shop", "public.customers.email=email")
    run("classify", "shop", "--remove", "public.customers.email")
    assert classes_of(shop) == {}


def test_show_prints_the_default_set_when_there_was_none(control_db: str) -> None:
    assert run("policy", "show") == store.default_text()


def test_what_is_shown_can_be_applied(control_db: str, tmp_path: Path) -> None:
    copy = tmp_path / "policies.cedar"
    copy.write_text(run("policy", "show") + READS + "\n")
    assert "is sound" in run("policy", "check", copy)
    assert "Version 2" in run("policy", "apply", copy, "--comment", "one more")
    assert run("policy", "show") == copy.read_text()
    assert run("policy", "show", "--version=1") == store.default_text()
    assert "one more" in run("policy", "show", "--list")


def test_an_unsound_file_is_refused_with_its_problems(control_db: str, tmp_path: Path) -> None:
    (tmp_path / "bad.cedar").write_text(f"{READS}\npermit (principal, action, resource);")
    for verb in ("check", "apply"):
        with pytest.raises(CommandError, match="line 2: @id is missing"):
            run("policy", verb, tmp_path / "bad.cedar")
