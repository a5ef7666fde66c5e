"""Credentials: issued once, stored hashed, looked up by prefix, and dead at once when they are revoked."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest
import redis
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import LedgerUnavailable
from audit.models import Entry
from identity import credentials, revocations
from identity.credentials import TOKEN, authenticate, ended_among, is_live, issue, revoke
from identity.errors import IdentityError, NotAuthenticated
from identity.models import Agent, Credential, User
from identity.principals import PrincipalKind
from tests.factories import make_user

HOUR = timedelta(hours=1)


def refusal(token: str) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        authenticate(token)
    return refused.value.reason


def expire(credential: Credential) -> None:
    Credential.objects.filter(pk=credential.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def end_owner(credential: Credential) -> None:
    User.objects.update(is_active=False)


def end_agent(credential: Credential) -> None:
    Agent.objects.update(is_active=False)


# --- Issuing --------------------------------------------------------------------------------------------------------


def test_a_token_has_a_prefix_and_256_random_bits(bot: Agent) -> None:
    tokens = {issue(bot, issued_by="test").token for _ in range(20)}
    assert len(tokens) == 20
    assert all(TOKEN.match(token) for token in tokens)


def test_a_token_is_stored_as_its_hash_only(bot: Agent) -> None:
    issued = issue(bot, issued_by="test")
    stored = Credential.objects.filter(pk=issued.credential.pk).values().get()
    assert bytes(stored["digest"]) == hashlib.sha256(issued.token.encode()).digest()
    secret = issued.token.rsplit("_", 1)[1]
    assert not any(secret in str(value) for value in stored.values())


def test_an_issue_is_in_the_ledger_without_the_secret(bot: Agent) -> None:
    issued = issue(bot, expires_in=HOUR, issued_by="user:root")
    header = bytes(Entry.objects.get(kind="credential.issued").header)
    fields = orjson.loads(header)
    assert (fields["actor"], fields["holder"]) == ("user:root", "agent:analyst-bot")
    assert fields["prefix"] == issued.credential.prefix
    assert issued.token.rsplit("_", 1)[1].encode() not in header


def test_p3_a_credential_that_cannot_be_recorded_is_not_issued(bot: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(ledger, "append_within", refuse)
    with pytest.raises(LedgerUnavailable):
        issue(bot, issued_by="test")
    assert not Credential.objects.exists()


@pytest.mark.parametrize("time", [timedelta(), -HOUR])
def test_a_time_to_live_of_nothing_is_refused_and_not_taken_for_ever(bot: Agent, time: timedelta) -> None:
    with pytest.raises(IdentityError, match="time to live"):
        issue(bot, expires_in=time, issued_by="test")


def test_nobody_who_is_not_active_gets_a_credential(alice: User) -> None:
    alice.is_active = False
    with pytest.raises(IdentityError, match="not active"):
        issue(alice, issued_by="test")


def test_a_credential_belongs_to_exactly_one_principal(bot: Agent, alice: User) -> None:
    for holders in ({}, {"user": alice, "agent": bot}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Credential.objects.create(prefix="aaaaaaaa", digest=b"x" * 32, **holders)


# --- Authenticating -------------------------------------------------------------------------------------------------


def test_a_token_of_an_agent_is_the_agent(bot: Agent, alice: User) -> None:
    issued = issue(bot, issued_by="test")
    principal = authenticate(issued.token)
    assert (principal.kind, principal.name, principal.owner) == (PrincipalKind.AGENT, "analyst-bot", "alice")
    assert (set(principal.groups), principal.credential_id) == ({"agents"}, issued.credential.pk)
    assert not principal.is_person


def test_a_token_of_a_person_is_the_person(control_db: str) -> None:
    root = make_user("root", "dba", is_administrator=True)
    principal = authenticate(issue(root, issued_by="test").token)
    assert (principal.label, principal.owner_id, principal.is_administrator) == ("user:root", root.pk, True)
    assert principal.is_person


def test_an_administrator_who_owns_an_agent_does_not_make_it_one(control_db: str) -> None:
    root = make_user("root", is_administrator=True)
    agent = Agent.objects.create(name="root-bot", owner=root)
    assert not authenticate(issue(agent, issued_by="test").token).is_administrator


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda token: "", id="nothing"),
        pytest.param(lambda token: token[:-1], id="cut"),
        pytest.param(lambda token: token + "A", id="longer"),
        pytest.param(lambda token: token + "\n", id="with a line end"),
        pytest.param(lambda token: " " + token, id="with a blank"),
        pytest.param(lambda token: token.upper(), id="in capitals"),
        pytest.param(lambda token: token.replace("cs_", "xx_"), id="of another sort"),
        pytest.param(lambda token: token[:-1] + "é", id="not ASCII"),
        pytest.param(lambda token: "cs_%%%%%%%%_" + token[12:], id="a pattern"),
        pytest.param(lambda token: token[:12] + "\x00" * 43, id="NUL"),
    ],
)
def test_a_text_that_is_no_token_is_refused(bot: Agent, change: Any) -> None:
    assert refusal(change(issue(bot, issued_by="test").token)) == "not a token of ours"


def test_a_wrong_secret_and_an_unknown_prefix_are_refused_alike(bot: Agent) -> None:
    token = issue(bot, issued_by="test").token
    other = "A" if token[20] != "A" else "B"
    assert refusal(token[:20] + other + token[21:]) == refusal("cs_zzzzzzzz_" + token[12:]) == "unknown token"


def test_the_secret_of_one_credential_does_not_open_another(bot: Agent) -> None:
    first, second = issue(bot, issued_by="test").token, issue(bot, issued_by="test").token
    assert refusal(first[:12] + second[12:]) == "unknown token"


def test_hashes_are_compared_in_constant_time(bot: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    token = issue(bot, issued_by="test").token

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(len(one))
        return one == other

    monkeypatch.setattr("identity.credentials.hmac.compare_digest", compare)
    authenticate(token)
    assert compared == [32]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        pytest.param(expire, "expired", id="expired"),
        pytest.param(lambda credential: revoke(credential, actor="test"), "revoked", id="revoked"),
        pytest.param(end_agent, "the principal is not active", id="agent ended"),
        pytest.param(end_owner, "the agent's owner is not active", id="owner ended"),
    ],
)
def test_p8_a_credential_that_may_no_longer_act_is_refused(bot: Agent, end: Any, reason: str) -> None:
    issued = issue(bot, expires_in=HOUR, issued_by="test")
    principal = authenticate(issued.token)
    assert ended_among({principal}) == set()
    end(issued.credential)
    assert refusal(issued.token) == reason
    assert not is_live(issued.credential.pk)


def test_what_people_approved_may_outlive_an_expiry_but_no_revocation(bot: Agent) -> None:
    credential = issue(bot, expires_in=HOUR, issued_by="test").credential
    expire(credential)
    assert is_live(credential.pk, allow_expired=True)
    revoke(credential, actor="test")
    assert not is_live(credential.pk, allow_expired=True)


def test_a_credential_that_does_not_exist_is_not_live(control_db: str) -> None:
    assert not is_live(uuid.uuid4())


def test_those_who_may_no_longer_act_are_told_from_those_who_may(bot: Agent, alice: User) -> None:
    first, second = (authenticate(issue(bot, issued_by="test").token) for _ in range(2))
    assert first.credential_id is not None
    revoke(Credential.objects.get(pk=first.credential_id), actor="test")
    assert ended_among({first, second}) == {first}


# --- Last used ------------------------------------------------------------------------------------------------------


def test_the_last_use_is_told(bot: Agent) -> None:
    issued = issue(bot, issued_by="test")
    begun = timezone.now()
    authenticate(issued.token)
    issued.credential.refresh_from_db()
    assert issued.credential.last_used_at is not None
    assert issued.credential.last_used_at >= begun


def test_the_last_use_is_told_to_the_minute_and_not_written_for_every_statement(
    bot: Agent, django_assert_num_queries: Any
) -> None:
    issued = issue(bot, issued_by="test")
    authenticate(issued.token)
    with django_assert_num_queries(2):  # the credential and the groups
        authenticate(issued.token)
    Credential.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    authenticate(issued.token)
    assert timezone.now() - Credential.objects.get().last_used_at < timedelta(seconds=30)  # type: ignore[operator]


def test_a_refused_token_counts_as_no_use(bot: Agent) -> None:
    issued = issue(bot, issued_by="test")
    expire(issued.credential)
    refusal(issued.token)
    assert Credential.objects.get().last_used_at is None


# --- Revoking -------------------------------------------------------------------------------------------------------


def test_revoking_twice_changes_nothing(bot: Agent) -> None:
    credential = issue(bot, issued_by="test").credential
    revoke(credential, actor="test")
    first = Credential.objects.get().revoked_at
    revoke(credential, actor="test")
    assert Credential.objects.get().revoked_at == first
    assert Entry.objects.filter(kind="credential.revoked").count() == 1


def test_revoking_tells_every_process(bot: Agent, redis_url: str) -> None:
    credential = issue(bot, issued_by="test").credential
    with redis.Redis.from_url(redis_url) as client, client.pubsub() as listener:
        listener.subscribe(revocations.channel())
        listener.get_message(timeout=5)
        revoke(credential, actor="test")
        message = listener.get_message(ignore_subscribe_messages=True, timeout=5)
    assert orjson.loads(message["data"]) == {"subject": "credential", "id": str(credential.pk)}


def test_p8_a_broker_that_is_away_does_not_undo_a_revocation(bot: Agent, settings: Any) -> None:
    issued = issue(bot, issued_by="test")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    revoke(issued.credential, actor="test")
    assert refusal(issued.token) == "revoked"


def test_nobody_is_told_of_a_revocation_that_was_undone(bot: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(credentials, "announce_end", lambda *subject: told.append(subject))
    credential = issue(bot, issued_by="test").credential
    with transaction.atomic():
        revoke(credential, actor="test")
        transaction.set_rollback(True)
    assert (told, is_live(credential.pk)) == ([], True)
