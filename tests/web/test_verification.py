"""Verifying the ledger from its page, and what the page says of retention and erasure."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import ledger
from audit.entries import format_time
from audit.evidence.bundle import VERIFIER
from audit.models import Entry, SubjectKey
from audit.verification import recording
from audit.verification.recording import Standing, verify_and_record
from tests.factories import make_user
from tests.web.conftest import SignIn

pytestmark = pytest.mark.usefixtures("nobody_works")

PLACE = "/ledger/integrity/"
VERIFY, PART = reverse("integrity-verify"), reverse("integrity-verification")
POLLS = f'hx-get="{PART}"'
Tell = Callable[..., None]


@pytest.fixture
def log(control_db: str) -> str:
    ledger.append("statement.denied", principal="agent:bot")
    return control_db


@pytest.fixture
def olaf(log: str, sign_in: SignIn) -> Client:
    return sign_in(make_user("olaf", "auditors"))


@pytest.fixture
def tell(log: str) -> Tell:
    """What a worker tells of a verification that user:root asked for."""

    def told(state: str, *, silent: float = 0, **more: object) -> None:
        asked = Standing(state, "user:root", format_time(timezone.now()), time.time() - silent)
        recording._tell(dataclasses.replace(asked, **more))  # type: ignore[arg-type]

    return told


def tamper(log: str, sql: str) -> None:
    with psycopg.connect(log, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute(sql)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_an_auditor_asks_and_watches(olaf: Client):
    page = olaf.post(VERIFY, follow=True).text
    assert "A worker recomputes every entry" in page
    assert "It waits for a worker" in page
    assert POLLS in page
    assert "Verify now" not in page


def test_whoever_is_no_auditor_neither_asks_nor_watches(log: str, sign_in: SignIn):
    rita = sign_in(make_user("rita", "dba"))
    assert rita.post(VERIFY).status_code == 403
    assert rita.get(PART, headers={"HX-Request": "true"}).status_code == 403
    assert Client().post(VERIFY).status_code == 302
    assert recording.standing() is None


def test_how_far_it_is_is_shown(olaf: Client, tell: Tell):
    tell("running", done=2500, total=10_000)
    part = olaf.get(PART, headers={"HX-Request": "true"}).text
    assert "2,500 of 10,000 entries recomputed" in words(part)
    assert 'aria-label="25 %"' in part
    assert "<html" not in part


def test_without_script_the_part_leads_to_the_page(olaf: Client):
    assert olaf.get(PART).headers["Location"] == f"{PLACE}#verification"


def test_what_came_out_is_shown_with_who_asked_and_its_entry(olaf: Client, log: str):
    verify_and_record("user:root")
    entry = Entry.objects.get(kind="ledger.verified")
    part = olaf.get(PART, headers={"HX-Request": "true"}).text
    assert POLLS not in part
    assert "Intact" in part
    assert f"nothing wrong in {entry.index} entries" in words(part)
    assert "root" in part
    assert reverse("ledger-entry", args=[entry.index]) in part


def test_p6_a_ledger_that_was_changed_is_told_at_the_top(olaf: Client, log: str):
    tamper(log, "UPDATE audit_entry SET header = '{}' WHERE index = 0")
    verify_and_record("user:root")
    page = olaf.get(PLACE).text
    assert "The last verification found the ledger changed" in page
    assert "entry 0: " in page
    assert "Not intact" in page


def test_one_that_failed_says_why_and_another_can_be_asked_for(olaf: Client, tell: Tell):
    tell("failed", problem="LedgerUnavailable: the disk is full")
    page = olaf.get(PLACE).text
    assert "It could not be completed" in page
    assert "the disk is full" in page
    assert "Verify now" in page


def test_one_that_died_is_not_waited_for(olaf: Client, tell: Tell):
    tell("running", silent=recording.SILENT_SECONDS + 1, done=1, total=2)
    page = olaf.get(PLACE).text
    assert "Nothing is heard of it" in page
    assert POLLS not in page
    assert "Verify now" in page


def test_a_broker_that_does_not_answer_is_told(olaf: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("audit.web.integrity_verifying.ask_to_verify", lambda actor: False)
    assert "no worker can verify" in olaf.post(VERIFY, follow=True).text


def test_the_digest_of_the_stand_alone_verifier_is_shown(olaf: Client):
    assert hashlib.sha256(VERIFIER.read_bytes()).hexdigest() in olaf.get(PLACE).text


def test_retention_that_is_overdue_is_shown(olaf: Client, log: str, settings: object):
    settings.RETENTION_DAYS = 30  # type: ignore[attr-defined]
    assert "Retention is overdue" not in olaf.get(PLACE).text
    tamper(log, "UPDATE audit_entry SET time = now() - interval '40 days' WHERE index = 0")
    assert "Entries older than 30 days are still in the database" in olaf.get(PLACE).text


def test_what_holds_retention_up_is_shown_with_its_entry(olaf: Client, log: str, settings: object):
    settings.RETENTION_DAYS = 30  # type: ignore[attr-defined]
    query = str(uuid.uuid4())
    held = ledger.append("statement.intent", principal="agent:a", query=query, datasource="shop").index
    assert "held up" not in olaf.get(PLACE).text
    tamper(log, "UPDATE audit_entry SET time = now() - interval '31 days'")
    page = olaf.get(PLACE).text
    assert f"Retention is held up: entry {held} is an intent without an outcome (query {query})" in page
    assert f"/ledger/{held}" in page
    answer = olaf.get("/api/v1/audit/archives").json()
    assert answer["held"]["index"] == held


def test_an_erasure_that_was_interrupted_is_shown(olaf: Client, log: str):
    now = timezone.now()
    SubjectKey.objects.create(
        id=uuid.uuid4(), subject="user:gone", sealed=None, created_at=now - timedelta(days=1), retired_at=now
    )
    assert "An erasure was interrupted" in olaf.get(PLACE).text
    SubjectKey.objects.update(erased_at=now)
    assert "An erasure was interrupted" not in olaf.get(PLACE).text
