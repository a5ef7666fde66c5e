"""Verifying the ledger over REST: auditors and administrators ask for it and see what came out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from audit.models import Entry
from audit.verification.recording import verify_and_record
from tests.api.conftest import Caller
from tests.factories import Cast, make_user

pytestmark = pytest.mark.usefixtures("nobody_works")

PATH = "audit/verifications"


@pytest.fixture
def auditor(call: Any, cast: Cast) -> Caller:
    caller: Caller = call(cast.olaf)
    return caller


def test_before_any_there_is_nothing_to_tell(auditor: Caller):
    assert auditor.get(PATH).json() == {"current": None, "last": None}


def test_an_auditor_asks_for_one(auditor: Caller):
    answer = auditor.post(PATH, None)
    assert answer.status_code == 202
    current = answer.json()["current"]
    assert (current["state"], current["under_way"], current["actor"]) == ("asked", True, "user:olaf")
    assert auditor.get(PATH).json()["current"] == current


def test_an_administrator_asks_for_one(call: Any, cast: Cast):
    assert call(make_user("root", is_administrator=True)).post(PATH, None).status_code == 202


def test_what_came_out_is_told(auditor: Caller):
    verify_and_record("user:olaf")
    entry = Entry.objects.get(kind="ledger.verified")
    told = auditor.get(PATH).json()
    assert (told["current"]["state"], told["current"]["under_way"]) == ("done", False)
    last = told["last"]
    assert (last["entry"], last["status"], last["fault"], last["actor"]) == (entry.index, "intact", "", "user:olaf")
    assert last["size"] == entry.index


def test_agents_and_others_are_refused(call: Any, cast: Cast):
    for who in (cast.bot, cast.rita, cast.mallory):
        assert call(who).get(PATH).status_code == 403
        assert call(who).post(PATH, None).status_code == 403


def test_a_broker_that_does_not_answer_is_a_problem(auditor: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.api.verification_views.ask_to_verify", lambda actor: False)
    answer = auditor.post(PATH, None)
    assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")


def test_both_calls_are_in_the_openapi_document():
    document = Client().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    calls = document["paths"][f"/api/v1/{PATH}"]
    assert set(calls["get"]["responses"]) == {"200", "401", "403", "503"}
    assert set(calls["post"]["responses"]) == {"202", "401", "403", "503"}
