"""The page of forwarders and the same over REST: what they show to whom, and what administrators do there."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from audit import ledger
from audit.forwarding import administration
from audit.models import Entry, Forwarder, Head
from identity.models import User
from tests.factories import make_user
from tests.web.conftest import SignIn

PLACE = "/ledger/forwarders/"
REST = "/api/v1/audit/forwarders"
CHANGES = [
    reverse("forwarder-add"),
    reverse("forwarder-switch", args=["siem"]),
    reverse("forwarder-secret", args=["siem"]),
    reverse("forwarder-remove", args=["siem"]),
]
ADDRESS = "https://siem.example.com/hook"
BODY = {"name": "siem", "kind": "webhook", "address": ADDRESS, "begin": "all", "form": "entry"}


@pytest.fixture
def root(control_db: str, sign_in: SignIn) -> Client:
    ledger.append("statement.denied", principal="agent:bot")
    return sign_in(make_user("root", is_administrator=True))


@pytest.fixture
def siem(control_db: str) -> Forwarder:
    return administration.add("siem", "webhook", ADDRESS, actor="user:root").forwarder


def people() -> dict[str, User]:
    return {"olaf": make_user("olaf", "auditors"), "rita": make_user("rita", "dba")}


def test_auditors_see_it_and_others_are_told_why_not(siem: Forwarder, sign_in: SignIn):
    clients = {name: sign_in(person) for name, person in people().items()}
    for place in (PLACE, REST, f"{REST}/siem"):
        assert {name: one.get(place).status_code for name, one in clients.items()} == {"olaf": 200, "rita": 403}
    assert "auditors (group auditors) and administrators" in clients["rita"].get(PLACE).text


def test_only_administrators_change_anything(siem: Forwarder, sign_in: SignIn):
    for person in people().values():
        client = sign_in(person)
        assert {client.post(place).status_code for place in CHANGES} == {403}
        assert client.post(REST, {}, "application/json").status_code == 403
        assert client.patch(f"{REST}/siem", {"is_active": False}, "application/json").status_code == 403
        assert client.delete(f"{REST}/siem").status_code == 403
        assert client.post(f"{REST}/siem/secret", {}, "application/json").status_code == 403
        assert client.delete(f"{REST}/siem/secret/previous").status_code == 403
    assert {Client().post(place).status_code for place in CHANGES} == {302}
    assert Entry.objects.filter(kind__startswith="forwarder.").count() == 1


def test_an_auditor_is_offered_no_change(siem: Forwarder, sign_in: SignIn):
    page = sign_in(people()["olaf"]).get(PLACE).text
    assert "siem" in page
    assert not [place for place in CHANGES if place in page]


def test_a_forwarder_is_added_and_its_secret_is_shown_once(root: Client):
    page = root.post(CHANGES[0], BODY)
    secret = Forwarder.objects.get().config["secrets"][0]
    assert secret in page.text
    assert "no-store" in page.headers["Cache-Control"]
    assert secret not in root.get(PLACE).text
    assert Entry.objects.get(kind="forwarder.added").fields["actor"] == "user:root"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "A B"}, "Use small letters"),
        ({"address": "http://siem.example.com"}, "this machine only"),
        ({"kind": "file", "address": "/etc/passwd"}, "no other folder is written to"),
        ({"kinds": "no.such"}, "There are no entries of the kind"),
        ({"secret": "short"}, "random characters"),
        ({"ca": "nothing"}, "PEM text"),
        ({"kind": "pigeon"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(root: Client, change: dict[str, str], said: str):
    answer = root.post(CHANGES[0], {**BODY, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert not Forwarder.objects.exists()


def test_failures_are_shown_with_why_and_when_next(root: Client, siem: Forwarder):
    from django.utils import timezone

    Forwarder.objects.update(failures=3, problem="the receiver answered HTTP 500", retry_at=timezone.now())
    page = root.get(PLACE).text
    assert "after 3 tries: the receiver answered HTTP 500." in page
    assert "It is tried again" in page


def test_it_is_paused_given_a_new_secret_and_removed(root: Client, siem: Forwarder):
    assert "Remove" not in root.get(PLACE).text
    page = root.post(CHANGES[2]).text
    assert Forwarder.objects.get().config["secrets"][0] in page
    assert "Drop the old secret" in page
    assert "newest secret only" in root.post(CHANGES[2], {"drop": "yes"}, follow=True).text
    assert "siem is paused" in root.post(CHANGES[1], {"active": "no"}, follow=True).text
    assert "siem was removed" in root.post(CHANGES[3], follow=True).text
    assert "There is no forwarder named" in root.post(CHANGES[1], {"active": "no"}, follow=True).text


def test_rest_adds_shows_pauses_and_removes(root: Client):
    body: dict[str, Any] = {"name": "siem", "kind": "webhook", "address": ADDRESS, "kinds": ["statement.denied"]}
    added = root.post(REST, body, "application/json")
    assert added.status_code == 201
    assert added.json()["secret"]
    seen = root.get(f"{REST}/siem").json()
    assert "secret" not in seen
    assert (seen["next"], seen["lag"], seen["state"], seen["secrets"]) == (0, Head.objects.get().size, "current", 1)
    changed = root.post(f"{REST}/siem/secret", {}, "application/json").json()
    assert (changed["secrets"], changed["secret"] != added.json()["secret"]) == (2, True)
    assert root.delete(f"{REST}/siem/secret/previous").json()["secrets"] == 1
    assert root.patch(f"{REST}/siem", {"is_active": False}, "application/json").json()["state"] == "paused"
    assert root.delete(f"{REST}/siem").status_code == 204
    assert root.get(f"{REST}/siem").status_code == 404


def test_rest_refuses_with_the_field_that_is_wrong(root: Client):
    body = {"name": "siem", "kind": "webhook", "address": "http://169.254.169.254/"}
    answer = root.post(REST, body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("address: ")


# --- Secrets that do not open --------------------------------------------------------------------------------------


@pytest.fixture
def closed(siem: Forwarder, settings: LazySettings) -> Forwarder:
    """The key that its secrets were sealed with is gone; another forwarder was added after that."""
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["another key, of which nothing here was sealed before"]
    administration.add("store", "webhook", f"{ADDRESS}/other", actor="user:root")
    return siem


def test_the_page_shows_a_forwarder_whose_secrets_do_not_open_beside_the_others(closed: Forwarder, root: Client):
    answer = root.get(PLACE)
    assert answer.status_code == 200
    assert "its secrets do not open: no configured key opens the sealed value" in answer.text
    assert [(one.name, bool(health.problem)) for one, health, _ in answer.context["rows"]] == [
        ("siem", True),
        ("store", False),
    ]


def test_rest_lists_a_forwarder_whose_secrets_do_not_open(closed: Forwarder, root: Client):
    listed = {one["name"]: one for one in root.get(REST).json()["results"]}
    assert (listed["siem"]["state"], listed["siem"]["secrets"], listed["siem"]["form"]) == ("failing", None, None)
    assert "do not open" in listed["siem"]["problem"]
    assert (listed["store"]["problem"], listed["store"]["secrets"]) == ("", 1)
    assert root.get(f"{REST}/siem").json()["problem"] == listed["siem"]["problem"]


def test_a_forwarder_whose_secrets_do_not_open_is_paused_and_removed(closed: Forwarder, root: Client):
    assert root.patch(f"{REST}/siem", {"is_active": False}, "application/json").json()["state"] == "paused"
    assert root.delete(f"{REST}/siem").status_code == 204


def test_a_new_secret_beside_one_that_does_not_open_is_refused(closed: Forwarder, root: Client):
    answer = root.post(f"{REST}/siem/secret", {}, "application/json")
    assert answer.status_code == 400
    assert "do not open" in answer.json()["detail"]


def test_the_form_is_closed_until_somebody_opens_it(root: Client):
    assert "<details><summary>Send entries to another place" in root.get(PLACE).text
    assert "<details open><summary>Send entries" in root.post(CHANGES[0], {**BODY, "name": "No"}).text
