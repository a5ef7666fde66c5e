"""Agents: owned by exactly one person, in one set of names with people."""

from __future__ import annotations

import orjson
import pytest
from django.db.models import ProtectedError

from audit.models import Entry
from identity.agents import add_agent, deactivate, find_agent
from identity.credentials import authenticate, issue
from identity.errors import IdentityError, NotAuthenticated
from identity.models import Agent, User
from identity.people import add_user, find_user
from identity.principals import principal_of_agent
from tests.factories import PASSWORD


def test_an_agent_has_its_owner_and_groups(bot: Agent, alice: User) -> None:
    principal = principal_of_agent(bot)
    assert (principal.label, principal.owner, principal.owner_id) == ("agent:analyst-bot", "alice", alice.pk)
    assert principal.groups == {"agents"}


def test_adding_an_agent_is_in_the_ledger(alice: User) -> None:
    add_agent("writer", alice, ["b", "a"], actor="user:root")
    fields = orjson.loads(bytes(Entry.objects.get(kind="agent.added").header))
    assert (fields["actor"], fields["agent"], fields["owner"], fields["groups"]) == (
        "user:root", "writer", "alice", ["a", "b"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["", "Upper", "with blank", "-dash", "a" * 64, "tab\t", "line\n", "quote'", "ä", "a/b", "..", "agent:x"]
)
def test_a_name_that_is_not_well_formed_is_refused(alice: User, name: str) -> None:
    with pytest.raises(IdentityError):
        add_agent(name, alice, [], actor="test")
    assert not Agent.objects.exists()
    assert not Entry.objects.filter(kind="agent.added").exists()


@pytest.mark.parametrize("name", ["alice", "analyst-bot"])
def test_people_and_agents_share_one_set_of_names(bot: Agent, alice: User, name: str) -> None:
    with pytest.raises(IdentityError, match="taken"):
        add_agent(name, alice, [], actor="test")
    with pytest.raises(IdentityError, match="taken"):
        add_user(name, PASSWORD, actor="test")


def test_somebody_who_is_not_active_owns_no_new_agent(alice: User) -> None:
    alice.is_active = False
    with pytest.raises(IdentityError, match="not active"):
        add_agent("writer", alice, [], actor="test")


@pytest.mark.parametrize("group", ["", "  ", "g" * 151, "a\x00b"])
def test_a_group_that_cannot_be_is_refused(alice: User, group: str) -> None:
    with pytest.raises(IdentityError, match="group"):
        add_agent("writer", alice, [group], actor="test")
    assert not Agent.objects.exists()


def test_the_owner_of_an_agent_cannot_be_deleted_from_under_it(bot: Agent, alice: User) -> None:
    with pytest.raises(ProtectedError):
        alice.delete()


def test_an_unknown_name_is_answered_with_the_known_ones(bot: Agent) -> None:
    with pytest.raises(IdentityError, match="analyst-bot"):
        find_agent("analist-bot")
    with pytest.raises(IdentityError, match="alice"):
        find_user("alicia")


def test_p8_the_tokens_of_an_agent_that_was_ended_stop_working(bot: Agent) -> None:
    token = issue(bot, issued_by="test").token
    authenticate(token)
    deactivate(bot, actor="user:root")
    with pytest.raises(NotAuthenticated):
        authenticate(token)
    fields = orjson.loads(bytes(Entry.objects.get(kind="agent.changed").header))
    assert (fields["actor"], fields["agent"], fields["is_active"]) == ("user:root", "analyst-bot", False)


def test_an_agent_that_was_ended_gets_no_new_token(bot: Agent) -> None:
    deactivate(bot, actor="test")
    with pytest.raises(IdentityError, match="not active"):
        issue(find_agent("analyst-bot"), issued_by="test")


@pytest.mark.parametrize("password", ["", "tiny-pw", "password1234", "newperson-newperson"])
def test_a_person_with_a_weak_password_is_refused(control_db: str, password: str) -> None:
    with pytest.raises(IdentityError) as refused:
        add_user("newperson-newperson", password, actor="test")
    assert not password or password not in str(refused.value).replace("newperson-newperson", "", 1)
    assert not User.objects.exists()


def test_no_password_is_in_the_ledger_or_in_clear(control_db: str) -> None:
    user = add_user("newperson", PASSWORD, ["dba"], actor="test")
    assert PASSWORD not in user.password
    assert PASSWORD.encode() not in bytes(Entry.objects.get(kind="user.added").header)
