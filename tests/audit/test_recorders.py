"""What is announced by signal is in the ledger: changes of identity with their transaction, and every sign-in."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from django.contrib.auth import authenticate, login
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_login_failed
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.http import HttpRequest

from audit import ledger
from audit.models import Entry
from identity.agents import add_agent, deactivate
from identity.credentials import issue, revoke
from identity.models import Agent, User
from identity.people import add_user

pytestmark = pytest.mark.usefixtures("control_db")
PASSWORD = "a long enough password"


def rita() -> User:
    return add_user("rita", PASSWORD, ["dba"], actor="user:root")


def kinds() -> list[str]:
    return list(Entry.objects.order_by("index").values_list("kind", flat=True))


def request_from(address: str) -> HttpRequest:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = address
    request.session = SessionStore()
    return request


def header() -> dict[str, object]:
    entry = Entry.objects.order_by("-index").first()
    assert entry is not None
    recorded: dict[str, object] = orjson.loads(bytes(entry.header))
    return recorded


def test_every_change_of_identity_is_recorded():
    agent = add_agent("analyst-bot", rita(), ["agents"], actor="user:root")
    credential = issue(agent, expires_in=timedelta(days=1), issued_by="user:root").credential
    revoke(credential, actor="user:root")
    deactivate(agent, actor="user:root")
    assert kinds() == ["user.added", "agent.added", "credential.issued", "credential.revoked", "agent.changed"]
    assert {entry.fields["actor"] for entry in Entry.objects.all()} == {"user:root"}


def test_a_change_that_cannot_be_recorded_is_undone(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    owner = rita()
    monkeypatch.setattr(ledger, "append_within", fail)
    with pytest.raises(ledger.LedgerUnavailable):
        add_agent("analyst-bot", owner, ["agents"], actor="user:root")
    assert not Agent.objects.exists()
    assert not Group.objects.filter(name="agents").exists()


def test_signing_in_is_recorded_with_the_address():
    login(request_from("192.0.2.7"), rita(), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert kinds()[-1] == "signin.succeeded"
    assert (header()["principal"], header()["address"]) == ("user:rita", "192.0.2.7")


def test_signing_in_inside_a_transaction_is_recorded_with_it():
    user = rita()
    with transaction.atomic():
        login(request_from("192.0.2.7"), user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert kinds()[-1] == "signin.succeeded"


def test_a_failed_sign_in_is_recorded_without_the_password():
    rita()
    assert authenticate(request_from("192.0.2.7"), username="rita", password="wrong secret") is None
    entry = Entry.objects.get(kind="signin.failed")
    assert header()["username"] == "rita"
    assert b"wrong secret" not in bytes(entry.header)


def test_an_attempted_name_is_cut_and_cleaned():
    user_login_failed.send(None, credentials={"username": "x\x00" * 200}, request=None)
    assert header()["username"] == ("x\ufffd" * 200)[:149] + "…"


def test_a_sign_in_that_cannot_be_recorded_is_refused(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    user = rita()
    monkeypatch.setattr(ledger, "append", fail)
    with pytest.raises(ledger.LedgerUnavailable):
        login(request_from("192.0.2.7"), user, backend="allauth.account.auth_backends.AuthenticationBackend")
