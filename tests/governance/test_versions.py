"""What is in force is believed for a lease, and a change is reported once every lease has run out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from governance import versions
from governance.models import DataSource
from governance.policy import store
from tests.factories import make_datasource
from tests.fixtures.databases import MakeTarget
from tests.governance.asking import READS

LEASE = 0.3


@pytest.fixture
def datasource(control_db: str, target_database: MakeTarget, settings: Any) -> DataSource:
    make_datasource(target_database("CREATE TABLE t (id integer)").dsn, name="leased", classes={})
    settings.LEASE_SECONDS = LEASE
    versions.forget()
    return DataSource.objects.get(name="leased")


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which a change has waited."""
    seconds: list[float] = []
    monkeypatch.setattr("governance.versions.time.sleep", seconds.append)
    return seconds


def asked(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum("governance_cataloguesnapshot" in query["sql"] for query in captured)


def test_within_a_lease_nothing_is_asked(datasource: DataSource) -> None:
    assert asked(lambda: versions.in_force(datasource)) == 1
    assert asked(lambda: versions.in_force(datasource)) == 0


def test_after_its_lease_the_answer_is_asked_for_again(datasource: DataSource) -> None:
    versions.in_force(datasource)
    time.sleep(LEASE)
    assert asked(lambda: versions.in_force(datasource)) == 1


def test_a_change_is_in_force_here_at_once(datasource: DataSource) -> None:
    before = versions.in_force(datasource).policy
    store.activate(READS, "user:root")
    assert versions.in_force(datasource).policy != before


def test_a_change_outlasts_the_leases_of_others_before_it_is_reported(
    datasource: DataSource, waited: list[float]
) -> None:
    store.activate(READS, "user:root")
    assert waited == [pytest.approx(LEASE + versions.MARGIN)]


def test_many_changes_of_one_transaction_wait_once(datasource: DataSource, waited: list[float]) -> None:
    with transaction.atomic():
        for _ in range(5):
            versions.change()
        assert waited == []
    assert len(waited) == 1


def test_a_change_that_is_rolled_back_waits_for_nobody(datasource: DataSource, waited: list[float]) -> None:
    with transaction.atomic():
        versions.change()
        transaction.set_rollback(True)
    assert waited == []
