"""Subjects' keys: one in use a subject, durable before it is used, not used past its lease, and refused when unreachable."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit import ledger
from audit.models import Entry, Payload, SubjectKey
from audit.payloads import seal_payload, unseal_payload
from audit.retention import keys
from identity.sealing import UnsealError
from tests.audit.test_processes import unreachable

pytestmark = pytest.mark.usefixtures("control_db")


@pytest.fixture
def lease(settings):
    settings.LEASE_SECONDS = 0.25


def retire(subject: str) -> None:
    SubjectKey.objects.filter(subject=subject, retired_at=None).update(retired_at=timezone.now())


def test_an_entrys_payload_is_sealed_with_the_key_of_whoever_it_is_about():
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    ledger.append("statement.denied", principal="agent:a", on_behalf_of="customer:7", payload={"a": 2})
    named = [entry.fields["payload_key"] for entry in Entry.objects.all()]
    assert [SubjectKey.objects.get(id=one).subject for one in named] == ["agent:a", "customer:7"]
    assert [str(payload.key) for payload in Payload.objects.order_by("index")] == named


def test_a_subject_keeps_its_key():
    assert seal_payload({}, "agent:a").key == seal_payload({}, "agent:a").key != seal_payload({}, "agent:b").key


def test_makers_at_the_same_time_agree(control_db: str):
    """As processes do: each finds no key of its own accord."""
    barrier = Barrier(4)

    def make() -> str:
        with psycopg.connect(control_db, autocommit=True) as session:
            barrier.wait()
            return keys._find(session, "agent:shared", None).id

    with ThreadPoolExecutor(4) as pool:
        found = {future.result() for future in [pool.submit(make) for _ in range(4)]}
    assert found == {str(SubjectKey.objects.get().id)}


def test_a_key_outlives_the_transaction_in_which_it_was_first_used():
    with transaction.atomic():
        ledger.append_within("statement.denied", principal="agent:a", payload={"a": 1})
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    key = SubjectKey.objects.get()
    assert seal_payload({}, "agent:a").key == str(key.id)


def test_a_kept_key_asks_nothing(lease, monkeypatch: pytest.MonkeyPatch, settings):
    settings.LEASE_SECONDS = 60
    sealed = seal_payload({"a": 1}, "agent:a")
    monkeypatch.setattr(keys, "_ask", None)
    assert seal_payload({}, "agent:a").key == sealed.key


def test_callers_whose_lease_ended_together_ask_once(settings, monkeypatch: pytest.MonkeyPatch):
    settings.LEASE_SECONDS = 60
    asked: list[str] = []
    find, barrier = keys._find, Barrier(8)

    def noted(session, subject, known):
        asked.append(subject)
        return find(session, subject, known)

    def seal_together() -> str | None:
        barrier.wait()
        return seal_payload({}, "agent:a").key

    monkeypatch.setattr(keys, "_find", noted)
    with ThreadPoolExecutor(8) as pool:
        found = {future.result() for future in [pool.submit(seal_together) for _ in range(8)]}
    assert (len(found), asked) == (1, ["agent:a"])


def test_a_retired_key_is_not_used_after_its_lease(lease):
    first = seal_payload({}, "agent:a").key
    retire("agent:a")
    time.sleep(0.25 + keys.MARGIN)  # the lease itself: there is no event that ends it
    assert seal_payload({}, "agent:a").key != first


def test_a_destroyed_key_does_not_open_after_the_lease(lease):
    sealed = seal_payload({"a": 1}, "agent:a")
    identifier = uuid.UUID(sealed.key)
    assert unseal_payload(identifier, sealed.ciphertext) == {"a": 1}
    retire("agent:a")
    SubjectKey.objects.update(sealed=None, erased_at=timezone.now())
    keys.outlast_leases()
    with pytest.raises(keys.ErasedError, match=r"The content was erased on \d{4}-\d\d-\d\d at \d\d:\d\d UTC\."):
        unseal_payload(identifier, sealed.ciphertext)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keys, "MOST_KEPT", 3)
    for number in range(10):
        seal_payload({}, f"agent:{number}")
    assert len(keys._in_use) == 3


def test_a_key_moved_into_another_subjects_row_does_not_open(control_db: str):
    sealed = seal_payload({}, "agent:a")
    seal_payload({}, "agent:b")
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute(
            "UPDATE audit_subjectkey SET sealed = (SELECT sealed FROM audit_subjectkey WHERE subject = 'agent:b')"
        )
    keys.forget()
    with pytest.raises(UnsealError, match="belongs elsewhere"):
        unseal_payload(uuid.UUID(sealed.key), sealed.ciphertext)
    with pytest.raises(ledger.LedgerUnavailable, match="cannot seal"):
        ledger.append("statement.denied", principal="agent:a", payload={"a": 1})


def test_a_key_that_does_not_exist_is_told():
    with pytest.raises(UnsealError, match="there is no key"):
        unseal_payload(uuid.uuid4(), b"x")


def test_p3_without_the_database_nothing_is_sealed_and_it_recovers_by_itself():
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    with (
        unreachable(str(connection.settings_dict["NAME"])),
        pytest.raises(ledger.LedgerUnavailable, match="cannot seal"),
    ):
        ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    connection.close()
    getattr(connection, "close_pool")()  # noqa: B009  not in the stubs


def test_the_database_refuses_to_change_or_delete_keys():
    seal_payload({}, "agent:a")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        SubjectKey.objects.update(sealed=b"x")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        SubjectKey.objects.all()._raw_delete("default")
