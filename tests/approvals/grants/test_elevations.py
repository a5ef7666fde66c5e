"""To count as a member of a group for a while: for statements on one data source, and for nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused
from approvals.grants.errors import GrantInvalid, GrantRefused
from approvals.grants.services import break_glass, elevated, request_elevation, revoke
from approvals.models import Grant, GrantUse, Request
from approvals.states import State
from audit.models import Entry
from gateway.models import Query, QueryState
from gateway.pipeline import check, submit
from governance.errors import Denied, UnknownDataSource
from governance.policy import store
from governance.policy.decision import Verdict
from identity.models import Agent, User
from tests.approvals.grants.conftest import REASON, GiveStatement, parked
from tests.factories import ACTOR, Cast, make_agent, make_datasource, make_user
from tests.fixtures.databases import TargetDatabase

DEFINE = "CREATE INDEX extra ON orders (status)"
PLAIN = store.default_text().replace(
    'forbid (principal, action == Action::"define", resource);',
    'forbid (principal, action == Action::"define", resource) unless { principal in Group::"dba" };',
)


@pytest.fixture(autouse=True)
def _trusting(cast: Cast) -> None:
    """What dba defines does not wait for people."""
    store.activate(PLAIN, ACTOR)


def ask(cast: Cast, who: User | Agent, *, group: str = "dba", minutes: int = 30, **more: Any) -> Any:
    more = {"reason": REASON, "door": "rest", **more}
    return request_elevation(cast.principal(who), "shop", group, minutes=minutes, **more)


def define(cast: Cast, who: User | Agent | None = None) -> Query:
    return submit(cast.submission(DEFINE, who)).query


# --- Asking -------------------------------------------------------------------------------------------------------


def test_it_waits_for_people_like_a_statement(cast: Cast) -> None:
    request = ask(cast, cast.bot).request
    assert (request.kind, request.state, request.asked) == (
        "elevation",
        State.PENDING,
        {"group": "dba", "seconds": 1800},
    )
    assert (request.requester, request.owner, request.purpose) == ("agent:analyst-bot", cast.alice, REASON)
    assert [one["group"] for one in request.required] == ["dba"]


def test_the_owner_asks_for_an_agent(cast: Cast) -> None:
    request = ask(cast, cast.alice, agent="analyst-bot").request
    assert (request.requester, request.agent) == ("agent:analyst-bot", cast.bot)


@pytest.mark.parametrize("name", ["other-bot", "mallory", "nobody"])
def test_nobody_asks_for_somebody_else(cast: Cast, name: str) -> None:
    make_agent("other-bot", cast.mallory)
    with pytest.raises(GrantRefused, match="own agents"):
        ask(cast, cast.alice, agent=name)
    with pytest.raises(GrantRefused, match="own agents"):
        ask(cast, cast.bot, agent=name)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"group": "nobody-has-this"}, "no group"),
        ({"minutes": 0}, "1 to 480"),
        ({"minutes": 481}, "1 to 480"),
        ({"reason": "because"}, "reason"),
    ],
)
def test_what_cannot_be_given_is_refused_with_the_reason(cast: Cast, more: dict[str, Any], match: str) -> None:
    with pytest.raises(GrantInvalid, match=match):
        ask(cast, cast.bot, **more)
    assert not Request.objects.exists()


def test_members_need_not_ask(cast: Cast) -> None:
    with pytest.raises(GrantInvalid, match="anyway"):
        ask(cast, cast.rita)


def test_an_unknown_data_source_is_told(cast: Cast) -> None:
    with pytest.raises(UnknownDataSource):
        request_elevation(cast.principal(cast.bot), "nowhere", "dba", minutes=5, reason=REASON, door="rest")


def test_a_group_that_no_policy_names_is_denied_and_recorded(cast: Cast) -> None:
    Group.objects.create(name="kings")
    with pytest.raises(GrantRefused, match="No policy permits agent:analyst-bot to count as a member of group kings"):
        ask(cast, cast.bot, group="kings")
    entry = Entry.objects.order_by("-index")[0]
    assert (entry.kind, entry.fields["group"], entry.fields["policies"]) == ("grant.refused", "kings", ["no-permit"])


def test_a_permit_without_a_review_gives_it_at_once(cast: Cast) -> None:
    Group.objects.create(name="support")
    permit = '@id("on-call") permit (principal, action == Action::"elevate", resource == Group::"support");'
    text = PLAIN.replace('forbid (principal, action == Action::"elevate", resource);',
                         'forbid (principal, action == Action::"elevate", resource == Group::"dba");')  # fmt: skip
    store.activate(f"{text}\n{permit}\n", ACTOR)
    found = ask(cast, cast.alice, group="support")
    assert (found.request, found.grant.group, found.grant.user) == (None, "support", cast.alice)
    entry = Entry.objects.order_by("-index")[0]
    assert (entry.kind, entry.fields["policies"], entry.fields["message"]) == (
        "grant.given",
        ["on-call"],
        "given by policy",
    )


def test_policies_can_look_at_the_minutes_and_the_data_source(cast: Cast) -> None:
    rule = '@id("short") forbid (principal, action == Action::"elevate", resource)'
    when = 'when { context.minutes > 20 && context.datasource == "shop" };'
    store.activate(f"{PLAIN}\n{rule} {when}\n", ACTOR)
    with pytest.raises(GrantRefused, match="short"):
        ask(cast, cast.bot, minutes=21)
    assert ask(cast, cast.bot, minutes=20).request is not None


# --- P5 -----------------------------------------------------------------------------------------------------------


def test_p5_nobody_agrees_to_their_own(cast: Cast) -> None:
    request = ask(cast, cast.alice).request
    make_user("alice", "dba")
    with pytest.raises(ReviewRefused, match="yourself"):
        services.review(request.pk, cast.principal(cast.alice), "approve", "")


def test_p5_nor_to_that_of_their_agent(cast: Cast) -> None:
    request = ask(cast, cast.bot).request
    make_user("alice", "dba")
    with pytest.raises(ReviewRefused, match="own"):
        services.review(request.pk, cast.principal(cast.alice), "approve", "")


# --- Using --------------------------------------------------------------------------------------------------------


def test_an_approval_gives_it_and_settles_the_request(cast: Cast, elevate: GiveStatement) -> None:
    grant = elevate()
    assert grant.request is not None
    assert (grant.request.state, grant.group, grant.agent) == (State.EXECUTED, "dba", cast.bot)
    assert timedelta(minutes=29) < grant.expires_at - timezone.now() <= timedelta(minutes=30)
    kinds = [
        entry.kind for entry in Entry.objects.order_by("index") if entry.fields.get("request") == str(grant.request_id)
    ]
    assert kinds == ["request.created", "review.given", "request.approved", "grant.given", "request.settled"]


def test_a_rejection_gives_nothing(cast: Cast) -> None:
    services.review(ask(cast, cast.bot).request.pk, cast.principal(cast.rita), "reject", "not today")
    assert not Grant.objects.exists()


def test_the_group_counts_for_statements_and_the_run_is_kept(cast: Cast, elevate: GiveStatement) -> None:
    grant = elevate()
    query = define(cast)
    assert (query.state, query.grant_id) == (QueryState.EXECUTED, grant.pk)
    assert GrantUse.objects.get().query == query.pk
    used = [entry for entry in Entry.objects.order_by("index") if entry.fields.get("query") == str(query.pk)]
    assert [entry.kind for entry in used] == ["grant.used", "statement.intent", "statement.outcome"]


def test_what_runs_without_it_does_not_use_it(cast: Cast, elevate: GiveStatement) -> None:
    elevate()
    query = submit(cast.submission("SELECT id FROM orders")).query
    assert (query.state, query.grant_id) == (QueryState.EXECUTED, None)
    assert not GrantUse.objects.exists()


def test_a_check_tells_what_would_come_of_it(cast: Cast, elevate: GiveStatement) -> None:
    assert check(cast.submission(DEFINE)).decision.verdict is Verdict.REVIEW
    elevate()
    assert check(cast.submission(DEFINE)).decision.verdict is Verdict.ALLOW


def test_what_is_denied_to_the_group_stays_denied(cast: Cast, elevate: GiveStatement) -> None:
    elevate()
    with pytest.raises(Denied):
        submit(cast.submission("DROP TABLE orders"))


def over(cast: Cast, grant: Grant) -> None:
    Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now())


def taken(cast: Cast, grant: Grant) -> None:
    revoke(grant.pk, cast.principal(cast.rita), "done")


def owner_changed(cast: Cast, _grant: Grant) -> None:
    cast.bot.owner = cast.mallory
    cast.bot.save()


@pytest.mark.parametrize("end", [over, taken, owner_changed])
def test_once_it_ended_the_group_counts_no_more(cast: Cast, elevate: GiveStatement, end: Any) -> None:
    end(cast, elevate())
    assert define(cast).state == QueryState.PARKED


# --- Nothing else -------------------------------------------------------------------------------------------------


def test_it_gives_nothing_on_another_data_source(cast: Cast, elevate: GiveStatement, shop: TargetDatabase) -> None:
    elevate()
    cast.datasource = make_datasource(shop.dsn, name="other")
    assert define(cast).state == QueryState.PARKED


@pytest.mark.parametrize("who", ["alice", "other"])
def test_it_gives_nothing_to_the_owner_or_another_agent(cast: Cast, elevate: GiveStatement, who: str) -> None:
    elevate()
    assert (
        define(cast, cast.alice if who == "alice" else make_agent("other-bot", cast.alice)).state == QueryState.PARKED
    )


def test_it_gives_no_review(cast: Cast, elevate: GiveStatement) -> None:
    elevate(cast.mallory)
    with pytest.raises(ReviewRefused, match="dba"):
        services.review(parked(cast).pk, cast.principal(cast.mallory), "approve", "")


def test_it_gives_no_broken_glass(cast: Cast, elevate: GiveStatement) -> None:
    elevate(cast.mallory)
    with pytest.raises(GrantRefused):
        break_glass(cast.principal(cast.mallory), "shop", reason=REASON, door="web")


def test_it_is_no_help_for_another_elevation(cast: Cast, elevate: GiveStatement) -> None:
    Group.objects.create(name="support")
    permit = (
        '@id("dba-only") permit (principal in Group::"dba", action == Action::"elevate", resource == Group::"support");'
    )
    store.activate(f"{PLAIN}\n{permit}\n", ACTOR)
    elevate(cast.mallory)
    with pytest.raises(GrantRefused):
        ask(cast, cast.mallory, group="support")


def test_the_principal_itself_is_no_other(cast: Cast, elevate: GiveStatement) -> None:
    elevate()
    plain = cast.principal(cast.bot)
    assert "dba" not in plain.groups
    assert elevated(plain, cast.datasource).groups == plain.groups | {"dba"}
