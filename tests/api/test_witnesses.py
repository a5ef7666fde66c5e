"""Witnesses, publishing and the log's key over REST: auditors read, administrators change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.models import Entry, LogKey, Witness
from audit.transparency import keys
from tests.api.conftest import Caller
from tests.factories import Cast, make_user


@pytest.fixture
def admin(call: Any, cast: Cast) -> Caller:
    caller: Caller = call(make_user("root", is_administrator=True))
    return caller


@pytest.fixture
def office(admin: Caller, tmp_path: Path) -> dict[str, Any]:
    answer = admin.post("audit/witnesses", {"name": "office", "kind": "directory", "address": str(tmp_path)})
    assert answer.status_code == 201, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def change(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {caller.token}"}
    return getattr(Client(), method)(f"/api/v1/{path}", body, "application/json", headers=headers)


def test_an_added_witness_is_listed(admin: Caller, office: dict[str, Any]):
    assert admin.get("audit/witnesses").json() == {"results": [office]}
    assert admin.get("audit/witnesses/office").json() == office
    assert (office["kind"], office["is_active"], office["size"]) == ("directory", True, 0)


def test_publishing_gives_the_checkpoint_to_witnesses(admin: Caller, office: dict[str, Any], tmp_path: Path):
    answer = admin.post("audit/checkpoint/publish", None)
    assert (answer.status_code, answer.json()["reached"], answer.json()["failed"]) == (200, ["office"], [])
    assert (tmp_path / "checkpoint").read_text().split("\n")[1] == str(answer.json()["size"])


def test_a_witness_is_switched_and_removed(admin: Caller, office: dict[str, Any]):
    assert change(admin, "patch", "audit/witnesses/office", {"is_active": False}).json()["is_active"] is False
    assert change(admin, "delete", "audit/witnesses/office").status_code == 204
    assert admin.get("audit/witnesses/office").status_code == 404


def test_credentials_are_taken_and_never_answered(admin: Caller):
    secret = {"access_key": "an-access-key", "secret_key": "a-very-secret-key", "endpoint": "https://s3.example.com"}
    body = {"name": "store", "kind": "s3", "address": "s3://kept/one", "credentials": secret}
    answer = admin.post("audit/witnesses", body)
    assert answer.status_code == 201
    assert Witness.objects.get().sealed
    assert b"secret" not in answer.content + admin.get("audit/witnesses").content


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "a", "kind": "pigeon", "address": os.sep}, "kind"),
        ({"name": "A B", "kind": "directory", "address": os.sep}, "name: Use small letters"),
        ({"name": "a", "kind": "directory", "address": "relative"}, "address: Give the whole path"),
        ({"name": "a", "kind": "tlog-witness", "address": "https://w.example.com"}, "verifier_key"),
        ({"name": "a", "kind": "directory", "address": os.sep, "more": 1}, "more"),
    ],
)
def test_what_cannot_be_a_witness_is_refused_with_the_field(admin: Caller, body: dict[str, Any], said: str):
    answer = admin.post("audit/witnesses", body)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_rotating_the_key_publishes_both(admin: Caller):
    old = keys.current_key()
    answer = admin.post("audit/keys/rotate", {"reason": "yearly"})
    assert answer.status_code == 201
    assert [key["id"] for key in admin.get("audit/keys").json()["results"]] == [answer.json()["id"], old.id]
    assert Entry.objects.get(kind="key.rotated").fields["actor"] == "user:root"


def test_auditors_read_and_change_nothing(call: Any, cast: Cast, office: dict[str, Any]):
    auditor: Caller = call(cast.olaf)
    assert auditor.get("audit/witnesses").status_code == 200
    assert auditor.post("audit/witnesses", {}).status_code == 403
    assert change(auditor, "patch", "audit/witnesses/office", {"is_active": False}).status_code == 403
    assert change(auditor, "delete", "audit/witnesses/office").status_code == 403
    assert auditor.post("audit/keys/rotate", {}).status_code == 403
    assert auditor.post("audit/checkpoint/publish", None).status_code == 403
    assert (Witness.objects.get().is_active, LogKey.objects.count()) == (True, 0)


def test_others_and_agents_do_not_see_witnesses(call: Any, cast: Cast, office: dict[str, Any]):
    for who in (cast.mallory, cast.bot):
        assert call(who).get("audit/witnesses").status_code == 403


@pytest.mark.parametrize("name", ["%00", "..%5cx", "%F0%9F%94%91"])
def test_what_can_be_no_witness_s_name_is_unknown(admin: Caller, name: str):
    answer = admin.get(f"audit/witnesses/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-witness")


@pytest.mark.parametrize("value", ["eu\r\nX-Other: yes", "eu\x7f", "\u200beu"])
def test_a_credential_that_could_end_a_header_is_refused(admin: Caller, value: str):
    asked = {"name": "store", "kind": "s3", "address": "s3://audit-office/x", "credentials": {"region": value}}
    answer = admin.post("audit/witnesses", asked)
    assert (answer.status_code, Witness.objects.count()) == (400, 0)
    assert "one line of ASCII" in answer.json()["detail"]
