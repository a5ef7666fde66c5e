"""The page of the ledger's integrity: what it shows to whom, and what administrators do there."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from audit import ledger
from audit.models import Entry, Witness
from audit.transparency import checkpoints, keys, witnesses
from audit.transparency.publication import publish
from identity.models import User
from tests.factories import make_user
from tests.web.conftest import SignIn

PLACE = "/ledger/integrity/"
CHANGES = [
    reverse("integrity-publish"),
    reverse("integrity-key-rotate"),
    reverse("integrity-witness-add"),
    reverse("integrity-witness-switch", args=["office"]),
    reverse("integrity-witness-remove", args=["office"]),
]


@pytest.fixture
def log(control_db: str) -> str:
    ledger.append("statement.denied", principal="agent:bot")
    return control_db


@pytest.fixture
def root(log: str, sign_in: SignIn) -> Client:
    return sign_in(make_user("root", is_administrator=True))


@pytest.fixture
def office(log: str, tmp_path: Path) -> Path:
    witnesses.add("office", "directory", str(tmp_path), actor="user:root")
    return tmp_path


def people() -> dict[str, User]:
    return {"olaf": make_user("olaf", "auditors"), "rita": make_user("rita", "dba"), "mallory": make_user("mallory")}


def test_auditors_see_it_and_others_are_told_why_not(log: str, sign_in: SignIn):
    seen = {name: sign_in(person).get(PLACE) for name, person in people().items()}
    assert {name: answer.status_code for name, answer in seen.items()} == {"olaf": 200, "rita": 403, "mallory": 403}
    assert "auditors (group auditors) and administrators" in seen["rita"].text


@pytest.mark.parametrize("place", CHANGES)
def test_only_administrators_change_anything(office: Path, sign_in: SignIn, place: str):
    for person in people().values():
        assert sign_in(person).post(place).status_code == 403
    assert Client().post(place).status_code == 302
    assert not Entry.objects.filter(kind__in=["witness.changed", "witness.removed", "key.rotated"]).exists()
    assert list(Witness.objects.values_list("name", "is_active")) == [("office", True)]


def test_an_auditor_is_offered_no_change(office: Path, sign_in: SignIn):
    page = sign_in(people()["olaf"]).get(PLACE).text
    assert "office" in page
    assert not [place for place in CHANGES if place in page]


def test_it_shows_the_signed_note_and_the_keys(root: Client):
    note = checkpoints.latest().note
    page = root.get(PLACE).text
    assert note.split("\n")[2] in page
    assert keys.current_key().verifier_key.replace("+", "&#x2B;") in page or keys.current_key().verifier_key in page


def test_without_a_witness_it_says_what_that_means(root: Client):
    assert "Nobody outside keeps checkpoints" in root.get(PLACE).text


def test_it_shows_how_far_each_witness_is(root: Client, office: Path):
    assert "nothing yet" in root.get(PLACE).text
    publish()
    assert "Has it" in root.get(PLACE).text
    assert "1 of 1" in root.get(PLACE).text


def test_a_failing_witness_is_shown_with_why_and_when_next(root: Client, office: Path):
    (office / "checkpoint").write_text("something else\n")
    publish()
    page = root.get(PLACE).text
    assert "this log never signed" in page
    assert "It is asked again" in page


def test_p6_a_ledger_that_contradicts_its_checkpoint_is_shown_at_once(root: Client, log: str):
    checkpoints.latest()
    with psycopg.connect(log, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE audit_head SET frontier = overlay(frontier PLACING sha256('other') FROM 1)")
    page = root.get(PLACE).text
    assert "The ledger contradicts what was signed" in page
    assert "entries are not those that were signed" in page


def test_a_witness_is_added(root: Client, tmp_path: Path):
    body = {"name": "office", "kind": "directory", "address": str(tmp_path)}
    answer = root.post(reverse("integrity-witness-add"), body, follow=True)
    assert "office is given the next checkpoint" in answer.text
    assert Entry.objects.get(kind="witness.added").fields["actor"] == "user:root"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "A B"}, "Use small letters"),
        ({"address": "relative"}, "Give the whole path of a folder"),
        ({"kind": "tlog-witness", "address": "https://w.example.com"}, "is not a verifier key"),
        ({"region": "eu-north-1"}, "Only an S3-compatible store takes credentials"),
        ({"kind": "pigeon"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_a_witness_is_told_beside_its_field(
    root: Client, tmp_path: Path, change: dict[str, str], said: str
):
    body = {"name": "office", "kind": "directory", "address": str(tmp_path), **change}
    answer = root.post(reverse("integrity-witness-add"), body)
    assert answer.status_code == 422
    assert said in answer.text
    assert not Witness.objects.exists()


def test_a_secret_key_that_was_sent_does_not_come_back(root: Client):
    body = {"name": "a", "kind": "s3", "address": "nowhere", "access_key": "key", "secret_key": "so-secret"}
    assert "so-secret" not in root.post(reverse("integrity-witness-add"), body).text


def test_a_witness_is_switched_off_and_then_removed(root: Client, office: Path):
    assert "Remove" not in root.get(PLACE).text
    page = root.post(CHANGES[3], {"active": "no"}, follow=True).text
    assert "office gets no more checkpoints" in page
    assert "Remove" in page
    assert "office was removed" in root.post(CHANGES[4], follow=True).text
    assert not Witness.objects.exists()


def test_a_witness_that_is_gone_is_told(root: Client, office: Path):
    witnesses.remove("office", actor="user:other")
    assert "There is no witness named" in root.post(CHANGES[3], {"active": "no"}, follow=True).text


def test_the_key_is_rotated(root: Client):
    old = keys.current_key()
    page = root.post(reverse("integrity-key-rotate"), {"reason": "yearly"}, follow=True).text
    assert "Another key signs from now on" in page
    assert old.id in page
    assert keys.current_key().id in page


def test_publishing_is_handed_to_a_worker(root: Client, office: Path):
    assert "A worker signs the log" in root.post(reverse("integrity-publish"), follow=True).text


def test_a_broker_that_does_not_answer_is_told(root: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("audit.web.integrity_pages.ask_to_publish", lambda: False)
    assert "no worker can publish" in root.post(reverse("integrity-publish"), follow=True).text


@pytest.mark.parametrize("change", ["sealed = 'x'", "public = sha256('x')", "name = 'not a name'"])
def test_a_key_that_cannot_sign_is_shown(root: Client, log: str, change: str):
    keys.current_key()
    with psycopg.connect(log, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute(f"UPDATE audit_logkey SET {change}")
    answer = root.get(PLACE)
    assert answer.status_code == 200
    assert "The log cannot be signed" in answer.text
