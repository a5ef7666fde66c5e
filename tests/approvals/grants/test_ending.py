"""Cutting a grant down, ending it, and its running out: who may, and what it does."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals.grants.ending import close_ended
from approvals.grants.errors import GrantInvalid, GrantOver, GrantRefused, UnknownGrant
from approvals.grants.services import Status, fetch_grant_for, narrow, revoke, status_of, visible_to
from approvals.models import Grant
from audit.models import Entry
from audit.search import entry_with_payload
from identity.models import Agent, User
from tests.approvals.grants.conftest import GiveStatement
from tests.factories import Cast, make_agent

KINDS = ("statement", "elevation", "break_glass")
# rita gave what the agent has; she broke the glass herself.
CUTS = {
    "statement": {"alice", "rita", "root"},
    "elevation": {"alice", "rita", "root"},
    "break_glass": {"rita", "dora", "root"},
}
ENDS = {
    "statement": CUTS["statement"] | {"bot"},
    "elevation": CUTS["elevation"] | {"bot"},
    "break_glass": CUTS["break_glass"],
}
SEES = {kind: ENDS[kind] | {"dora", "olaf"} for kind in KINDS}
WHO = ("alice", "bot", "rita", "dora", "root", "olaf", "mallory", "other")
STATES = ("standing", "expired", "used-up", "revoked")


@pytest.fixture
def made(give: GiveStatement, elevate: GiveStatement, glass: GiveStatement) -> dict[str, Any]:
    return {"statement": give, "elevation": elevate, "break_glass": lambda: glass(runs=5)}


def somebody(cast: Cast, root: User, name: str) -> User | Agent:
    if name == "other":
        return make_agent("other-bot", cast.mallory)
    return root if name == "root" else getattr(cast, name)


def put(grant: Grant, state: str) -> None:
    changes: Any = {
        "standing": {},
        "expired": {"expires_at": timezone.now()},
        "used-up": {"uses": 3, "max_uses": 3},
        "revoked": {"revoked_at": timezone.now()},
    }[state]
    if changes:
        Grant.objects.filter(pk=grant.pk).update(**changes)


def outcome(act: Any) -> type[BaseException] | None:
    try:
        act()
    except (UnknownGrant, GrantRefused, GrantOver, GrantInvalid) as error:
        return type(error)
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_do_what_to_which_in_which_state(cast: Cast, root: User, made: dict[str, Any], kind: str) -> None:
    """Every kind × state × person × action, each from the same grant, against the rules above."""
    grant = made[kind]()
    before = Grant.objects.filter(pk=grant.pk).values().get()
    people = {name: cast.principal(somebody(cast, root, name)) for name in WHO}
    wrong = []
    for state, (name, person) in itertools.product(STATES, people.items()):
        for action in ("narrow", "revoke"):
            Grant.objects.filter(pk=grant.pk).update(**before)
            put(grant, state)
            found = outcome(lambda: narrowed(grant, person) if action == "narrow" else revoke(grant.pk, person, "done"))  # noqa: B023
            if found is not expected(kind, state, name, action):
                wrong.append((state, name, action, found))
    assert wrong == []


def narrowed(grant: Grant, person: Any) -> Grant:
    return narrow(grant.pk, person, expires_at=timezone.now() + timedelta(minutes=1))


def expected(kind: str, state: str, name: str, action: str) -> type[BaseException] | None:
    if name not in SEES[kind]:
        return UnknownGrant
    if name not in (CUTS if action == "narrow" else ENDS)[kind]:
        return GrantRefused
    if action == "revoke":
        return GrantOver if state == "revoked" else None
    return None if state == "standing" else GrantOver


def test_it_is_only_ever_cut_down(cast: Cast, give: GiveStatement) -> None:
    grant, rita = give(), cast.principal(cast.rita)
    wider: dict[str, Any]
    for wider in (
        {"max_uses": 4}, {"expires_at": grant.expires_at + timedelta(seconds=1)}, {"row_bound": 16}, {"max_uses": 0},
        {"expires_at": timezone.now() - timedelta(seconds=1)}, {"row_bound": -1},
    ):  # fmt: skip
        with pytest.raises(GrantInvalid, match="cut down"):
            narrow(grant.pk, rita, **wider)
    for as_it_is in (None, 3):
        with pytest.raises(GrantInvalid, match="Nothing would change"):
            narrow(grant.pk, rita, max_uses=as_it_is)


def test_not_below_what_was_used(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    Grant.objects.filter(pk=grant.pk).update(uses=2)
    with pytest.raises(GrantInvalid):
        narrow(grant.pk, cast.principal(cast.rita), max_uses=1)
    assert status_of(narrow(grant.pk, cast.principal(cast.rita), max_uses=2)) is Status.USED_UP


def test_what_was_changed_is_recorded_and_what_people_wrote_is_sealed(cast: Cast, give: GiveStatement) -> None:
    grant = narrow(give().pk, cast.principal(cast.rita), max_uses=2, row_bound=9, comment="for Ada Lovelace")
    entry = Entry.objects.get(kind="grant.narrowed")
    assert (entry.fields["actor"], entry.fields["changes"]) == ("user:rita", ["max_uses: 3 to 2", "row_bound: 15 to 9"])
    assert "Lovelace" not in str(entry.fields)
    payload = entry_with_payload(entry.index)
    assert payload is not None
    assert "Lovelace" in str(payload)
    assert (grant.max_uses, grant.row_bound) == (2, 9)


def test_what_ran_out_is_noted_once(cast: Cast, give: GiveStatement) -> None:
    put(give(), "expired")
    assert (close_ended(), close_ended()) == (1, 0)
    assert Entry.objects.get(kind="grant.ended").fields["message"] == "expired"


def test_what_is_used_up_has_ended(cast: Cast, give: GiveStatement) -> None:
    put(give(), "used-up")
    assert close_ended() == 1
    assert Entry.objects.get(kind="grant.ended").fields["message"] == "used-up"


def test_what_stands_stays(cast: Cast, give: GiveStatement) -> None:
    give()
    assert close_ended() == 0


def test_a_stranger_is_told_nothing(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    with pytest.raises(UnknownGrant):
        fetch_grant_for(cast.principal(cast.mallory), grant.pk)
    assert not visible_to(cast.principal(cast.mallory)).exists()
