"""What is announced by signal is in the ledger: changes of identity with their transaction, and every sign-in."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_login_failed
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.http import HttpRequest

from audit import ledger, refusals
from audit.models import Entry
from audit.refusals import Refusals
from identity.adapters import AccountAdapter
from identity.agents import add_agent, deactivate
from identity.credentials import authenticate as authenticate_token
from identity.credentials import issue, revoke
from identity.errors import NotAuthenticated
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


def test_signing_out_is_recorded():
    request = request_from("192.0.2.7")
    request.user = rita()
    logout(request)
    assert kinds()[-1] == "signin.ended"
    assert (header()["principal"], header()["address"]) == ("user:rita", "192.0.2.7")


def test_signing_out_without_having_signed_in_is_not_recorded():
    logout(request_from("192.0.2.7"))
    assert kinds() == []


# --- Changes that no service announces ------------------------------------------------------------------------------


def test_a_person_who_is_added_past_the_services_is_recorded():
    User.objects.create_superuser("root", password=PASSWORD)
    assert kinds() == ["user.added"]
    assert (header()["user"], header()["is_administrator"], header()["actor"]) == ("root", True, "not known")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"is_superuser": True}, "administrator"),
        ({"is_active": False}, "active"),
        ({"username": "marta"}, "name"),
        ({"email": "rita@example.com"}, "email"),
    ],
)
def test_a_change_of_a_person_is_recorded(change: dict[str, Any], told: str):
    user = rita()
    for name, value in change.items():
        setattr(user, name, value)
    user.save()
    assert kinds()[-1] == "user.changed"
    assert header()["changes"] == [told]


def test_what_means_nothing_for_who_may_act_is_not_recorded():
    user = rita()
    user.last_name = "Skeeter"
    user.save()
    user.save(update_fields=["last_login"])
    assert kinds() == ["user.added"]


def test_a_changed_password_is_recorded_without_it():
    AccountAdapter().set_password(rita(), "another long secret")
    assert kinds()[-1] == "user.changed"
    assert (header()["changes"], header()["actor"]) == (["password"], "user:rita")
    assert not any(b"another long" in bytes(entry.header) for entry in Entry.objects.all())


def test_a_renewed_hash_of_the_same_password_is_told_from_a_new_password():
    user = rita()
    user.password = make_password(PASSWORD)
    user.save(update_fields=["password"])
    assert header()["changes"] == ["password (hash)"]


@pytest.mark.parametrize("side", ["person", "group"])
def test_who_is_put_into_a_group_or_taken_out_is_recorded(side: str):
    user, group = rita(), Group.objects.create(name="auditors")
    if side == "person":
        user.groups.add(group)
        user.groups.remove(group)
    else:
        group.user_set.add(user)
        group.user_set.remove(user)
    told = [entry.fields.get("changes") for entry in Entry.objects.order_by("index")]
    assert told == [None, ["added to group auditors"], ["removed from group auditors"]]


def test_whoever_is_cleared_out_of_groups_is_recorded():
    rita()
    Group.objects.get(name="dba").user_set.clear()
    assert header()["changes"] == ["removed from group dba"]


def test_agents_are_watched_as_people_are():
    agent = add_agent("analyst-bot", rita(), ["agents"], actor="user:root")
    agent.owner = User.objects.create(username="dora")
    agent.save()
    assert (kinds()[-1], header()["changes"], header()["owner"]) == ("agent.changed", ["owner"], "dora")
    agent.groups.add(Group.objects.create(name="readers"))
    assert (kinds()[-1], header()["changes"]) == ("agent.changed", ["added to group readers"])


def test_removals_are_recorded():
    user = rita()
    agent = add_agent("analyst-bot", user, ["agents"], actor="user:root")
    agent.delete()
    user.delete()
    assert kinds()[-2:] == ["agent.removed", "user.removed"]


def test_a_group_with_another_name_and_one_that_is_gone_are_recorded():
    group = Group.objects.create(name="dba")
    group.name = "reviewers"
    group.save()
    assert (header()["name"], header()["previous"]) == ("reviewers", "dba")
    group.delete()
    assert header()["changes"] == ["removed"]


def test_an_unannounced_change_that_cannot_be_recorded_is_not_saved(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    user = rita()
    monkeypatch.setattr(ledger, "append", fail)
    user.is_superuser = True
    with pytest.raises(ledger.LedgerUnavailable):
        user.save()
    assert not User.objects.get(username="rita").is_superuser


# --- Refused credentials --------------------------------------------------------------------------------------------


@pytest.fixture
def every_refusal(monkeypatch: pytest.MonkeyPatch) -> Refusals:
    """Counts of this test alone."""
    fresh = Refusals(3600)
    monkeypatch.setattr(refusals, "_refusals", fresh)
    return fresh


def refused() -> list[dict[str, Any]]:
    return [entry.fields for entry in Entry.objects.filter(kind="credential.refused").order_by("index")]


def show(token: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(NotAuthenticated):
            authenticate_token(token)


@pytest.mark.usefixtures("every_refusal")
def test_a_revoked_credential_that_is_shown_is_recorded_with_whose_it_is():
    issued = issue(add_agent("analyst-bot", rita(), ["agents"], actor="user:root"), issued_by="user:root")
    revoke(issued.credential, actor="user:root")
    show(issued.token)
    (entry,) = refused()
    assert (entry["principal"], entry["reason"], entry["count"]) == ("agent:analyst-bot", "revoked", 1)
    assert entry["credential"] == str(issued.credential.id)


def test_tokens_that_are_tried_out_are_counted_and_not_listed(every_refusal: Refusals):
    for letter in "abcdefgh":
        show(f"cs_{letter * 8}_{'x' * 43}")
    assert [entry["count"] for entry in refused()] == [1]
    every_refusal.flush()
    assert [entry["count"] for entry in refused()] == [1, 7]
    assert all(entry["reason"] == "unknown token" and "prefix" not in entry for entry in refused())


def test_a_count_is_told_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refusals, "_refusals", Refusals(0.2))
    show(f"cs_{'a' * 8}_{'x' * 43}", times=3)
    deadline = time.monotonic() + 10
    while len(refused()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [entry["count"] for entry in refused()] == [1, 2]


def test_refusals_that_the_ledger_did_not_take_are_counted_with_later_ones(
    every_refusal: Refusals, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    with monkeypatch.context() as outage:
        outage.setattr(ledger, "append", fail)
        show(f"cs_{'a' * 8}_{'x' * 43}", times=2)
    every_refusal.flush()
    assert [entry["count"] for entry in refused()] == [2]
