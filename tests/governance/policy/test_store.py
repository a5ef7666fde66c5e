"""Versions of the policy set in the control database."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from audit.models import Entry
from governance.errors import ServiceUnavailable
from governance.models import PolicySet
from governance.policy import store
from governance.policy.problems import PolicyError
from tests.governance.asking import READS

OTHER = READS.replace("reads", "others")


@pytest.fixture(autouse=True)
def empty(control_db: str) -> None:
    PolicySet.objects.all().delete()
    store._compiled.clear()


def test_the_default_set_is_the_first(control_db: str) -> None:
    program = store.ensure_default("user:root")
    assert (program.version, program.text) == (1, store.default_text())
    assert Entry.objects.filter(kind="policy.activated").count() == 1


def test_the_default_set_is_put_in_once(control_db: str) -> None:
    store.ensure_default("user:root")
    store.activate(READS, "user:root")
    assert store.ensure_default("user:root").text == READS
    assert PolicySet.objects.count() == 2


def test_a_control_database_without_policies_decides_by_the_default(control_db: str) -> None:
    assert store.active().text == store.default_text()


def test_activating_makes_a_new_version_and_records_it(control_db: str) -> None:
    store.activate(READS, "user:root", "first")
    program = store.activate(OTHER, "user:rita", "second")
    assert program.version == 2
    assert [(p.version, p.is_active) for p in PolicySet.objects.order_by("version")] == [(1, False), (2, True)]
    entry = Entry.objects.order_by("-index").first()
    assert entry is not None
    assert b'"comment":"second"' in bytes(entry.header)
    assert b'"previous":1' in bytes(entry.header)


def test_the_active_text_again_stays_the_version_it_is(control_db: str) -> None:
    store.activate(READS, "user:root")
    assert store.activate(READS, "user:root").version == 1


def test_an_unsound_set_changes_nothing(control_db: str) -> None:
    store.activate(READS, "user:root")
    with pytest.raises(PolicyError):
        store.activate("permit (", "user:root")
    assert store.active().text == READS
    assert PolicySet.objects.count() == 1


def test_a_comment_that_is_too_long_is_refused(control_db: str) -> None:
    with pytest.raises(store.CommentTooLong, match="301"):
        store.activate(READS, "user:root", "x" * 301)


def test_another_process_sees_a_new_set_at_once(control_db: str) -> None:
    store.activate(READS, "user:root")
    assert store.active() is store.active()
    PolicySet.objects.update(is_active=False)
    PolicySet.objects.create(version=2, text=OTHER, author="user:rita", is_active=True)
    assert store.active().text == OTHER


def test_no_active_set_means_that_nothing_is_decided(control_db: str) -> None:
    store.activate(READS, "user:root")
    PolicySet.objects.update(is_active=False)
    with pytest.raises(ServiceUnavailable, match="No policy set is active"):
        store.active()


def test_a_stored_set_that_cannot_be_read_means_that_nothing_is_decided(control_db: str) -> None:
    PolicySet.objects.create(version=1, text="permit (", author="x", is_active=True)
    with pytest.raises(ServiceUnavailable, match="cannot be read"):
        store.active()


def test_two_at_once_make_two_versions(control_db: str) -> None:
    def activate(text: str) -> None:
        try:
            store.activate(text, "user:root")
        finally:
            connection.close()

    threads = [threading.Thread(target=activate, args=[READS.replace("reads", f"r{n}")]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(PolicySet.objects.values_list("version", flat=True)) == [1, 2, 3, 4]
    assert PolicySet.objects.filter(is_active=True).count() == 1
