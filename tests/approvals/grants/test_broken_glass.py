"""An emergency: at once, bounded, loud, and looked at afterwards by somebody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused
from approvals.grants.ending import close_ended, remind_of_glass
from approvals.grants.errors import GrantInvalid, GrantRefused
from approvals.grants.services import break_glass, revoke
from approvals.models import Grant, GrantUse, Request
from approvals.signals import grant_moved
from approvals.states import State
from audit.models import Entry
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from governance.errors import Denied
from governance.policy import store
from identity.models import User
from tests.approvals.grants.conftest import DELETE, OPEN, REASON, GiveStatement
from tests.factories import ACTOR, Cast, make_datasource, make_user
from tests.fixtures.databases import TargetDatabase


def run(cast: Cast, sql: str = DELETE, who: User | None = None, **more: Any) -> Query:
    return submit(cast.submission(sql, who or cast.rita, params=OPEN if "$1" in sql else (), **more)).query


def end(grant: Grant) -> Request:
    Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now())
    assert close_ended() == 1
    return Request.objects.get(kind="afterwards")


UNREAD_WAITS = """
@id("all") permit (principal, action, resource);
@id("unread") @review("dba") forbid (principal, action, resource) when { context.unread };
@id("writes") @review("dba") forbid (principal, action == Action::"write", resource) when { !context.byKey };
@id("looked-at") @review("dba") forbid (principal, action == Action::"break_glass", resource);
"""

# --- Breaking it --------------------------------------------------------------------------------------------------


def test_it_lasts_half_an_hour_unless_told_otherwise(cast: Cast, glass: GiveStatement) -> None:
    grant = glass()
    assert timedelta(minutes=29) < grant.expires_at - timezone.now() <= timedelta(minutes=30)
    assert (grant.user, grant.reason, grant.max_uses) == (cast.rita, REASON, None)


def test_it_is_in_the_ledger_and_everybody_is_told(cast: Cast) -> None:
    heard: list[str] = []

    def hear(event: str, **_: Any) -> None:
        heard.append(event)

    grant_moved.connect(hear)
    grant = break_glass(cast.principal(cast.rita), "shop", reason=REASON, door="web")
    entry = Entry.objects.get(kind="glass.broken")
    assert (entry.fields["grant"], entry.fields["principal"], entry.fields["reason"]) == (
        str(grant.pk),
        "user:rita",
        REASON,
    )
    assert heard == ["glass-broken"]


@pytest.mark.parametrize("who", ["alice", "mallory", "olaf"])
def test_who_is_not_permitted_is_refused_and_recorded(cast: Cast, who: str) -> None:
    with pytest.raises(GrantRefused, match="No policy permits"):
        break_glass(cast.principal(getattr(cast, who)), "shop", reason=REASON, door="web")
    assert Entry.objects.order_by("-index")[0].kind == "grant.refused"


def test_administrators_are_no_exception(cast: Cast, root: User) -> None:
    with pytest.raises(GrantRefused):
        break_glass(cast.principal(root), "shop", reason=REASON, door="web")


def test_agents_never(cast: Cast) -> None:
    cast.bot.groups.set(cast.rita.groups.all())
    with pytest.raises(GrantRefused, match="Agents"):
        break_glass(cast.principal(cast.bot), "shop", reason=REASON, door="rest")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"minutes": 0}, "1 to 240"),
        ({"minutes": 241}, "1 to 240"),
        ({"runs": 0}, "Runs"),
        ({"reason": " a  "}, "reason"),
    ],
)
def test_it_is_bounded_and_has_a_reason(cast: Cast, more: dict[str, Any], match: str) -> None:
    with pytest.raises(GrantInvalid, match=match):
        break_glass(cast.principal(cast.rita), "shop", **{"reason": REASON, "door": "web", **more})
    assert not Grant.objects.exists()


def test_p1_what_is_not_understood_waits_for_somebody_else_all_the_same(
    cast: Cast, shop: TargetDatabase, glass: GiveStatement
) -> None:
    store.activate(UNREAD_WAITS, ACTOR)
    glass()
    assert run(cast, "DO $$ BEGIN DELETE FROM orders; END $$").state == QueryState.PARKED
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]
    assert run(cast).state == QueryState.EXECUTED


def test_not_twice_at_once(cast: Cast, glass: GiveStatement) -> None:
    glass()
    with pytest.raises(GrantInvalid, match="already"):
        glass()
    glass(cast.dora)


def test_nobody_does_while_no_policy_says_who_looks_at_it(cast: Cast) -> None:
    without = (
        store.default_text().partition("// An emergency does not wait")[0]
        + store.default_text().partition('forbid (principal, action == Action::"break_glass", resource);\n')[2]
    )
    store.activate(without, ACTOR)
    with pytest.raises(GrantRefused, match="who would look at it afterwards"):
        break_glass(cast.principal(cast.rita), "shop", reason=REASON, door="web")


# --- While it lasts -----------------------------------------------------------------------------------------------


def test_what_would_wait_runs_at_once_and_is_kept(cast: Cast, glass: GiveStatement, shop: TargetDatabase) -> None:
    grant = glass()
    query = run(cast)
    assert (query.state, query.grant_id) == (QueryState.EXECUTED, grant.pk)
    assert shop.fetch("SELECT count(*) FROM orders") == [(45,)]
    assert GrantUse.objects.get().query == query.pk


def test_denials_and_masks_stay_as_they_are(cast: Cast, glass: GiveStatement) -> None:
    glass()
    with pytest.raises(Denied):
        run(cast, "DROP TABLE orders")
    shown = submit(cast.submission("SELECT email FROM customers WHERE id = 1", cast.rita)).content
    assert shown is not None
    assert "person1@" not in str(shown["rows"])


def test_it_helps_nobody_else_and_nowhere_else(cast: Cast, glass: GiveStatement, shop: TargetDatabase) -> None:
    glass()
    assert run(cast, who=cast.dora).state == QueryState.PARKED
    cast.datasource = make_datasource(shop.dsn, name="other")
    assert run(cast).state == QueryState.PARKED


def test_the_runs_are_used_up(cast: Cast, glass: GiveStatement) -> None:
    glass(runs=1)
    assert run(cast).state == QueryState.EXECUTED
    assert run(cast).state == QueryState.PARKED


def leaves_the_group(cast: Cast) -> None:
    cast.rita.groups.clear()


def is_forbidden(cast: Cast) -> None:
    rule = '@id("calm") forbid (principal, action == Action::"break_glass", resource);'
    store.activate(f"{store.default_text()}\n{rule}\n", ACTOR)


@pytest.mark.parametrize("change", [leaves_the_group, is_forbidden])
def test_who_may_no_longer_break_it_does_not_run_under_it(cast: Cast, glass: GiveStatement, change: Any) -> None:
    glass()
    change(cast)
    assert run(cast).state == QueryState.PARKED


# --- Afterwards ---------------------------------------------------------------------------------------------------


def test_its_end_asks_somebody_else_to_look(cast: Cast, glass: GiveStatement) -> None:
    grant = glass()
    run(cast)
    request = end(grant)
    assert (request.state, request.grant, request.requester) == (State.PENDING, grant, "user:rita")
    assert request.expires_at - timezone.now() > timedelta(days=3650)
    assert "1 statement" in request.normal
    kinds = [entry.kind for entry in Entry.objects.order_by("index") if entry.fields.get("grant") == str(grant.pk)]
    assert kinds[-2:] == ["glass.mended", "grant.ended"]
    assert close_ended() == 0


@pytest.mark.parametrize("who", ["rita", "dora", "root"])
def test_it_is_looked_at_once_however_it_ends(cast: Cast, glass: GiveStatement, root: User, who: str) -> None:
    """By hand: whoever broke it, a colleague who would look at it, an administrator."""
    grant = glass()
    revoke(grant.pk, cast.principal(root if who == "root" else getattr(cast, who)), "over")
    assert close_ended() == 0
    assert Request.objects.filter(kind="afterwards", grant=grant).count() == 1
    assert run(cast).state == QueryState.PARKED


def test_p5_whoever_broke_it_does_not_look_at_it(cast: Cast, glass: GiveStatement) -> None:
    with pytest.raises(ReviewRefused, match="broken glass"):
        services.review(end(glass()).pk, cast.principal(cast.rita), "approve", "was fine")


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_comment_is_needed_either_way(cast: Cast, glass: GiveStatement, verdict: str) -> None:
    request = end(glass())
    with pytest.raises(ReviewRefused, match="comment"):
        services.review(request.pk, cast.principal(cast.dora), verdict, " ")
    done = services.review(request.pk, cast.principal(cast.dora), verdict, "looked at all of it")
    assert done.state == (State.EXECUTED if verdict == "approve" else State.REJECTED)


def test_it_cannot_be_withdrawn_and_does_not_expire(cast: Cast, glass: GiveStatement) -> None:
    request = end(glass())
    with pytest.raises(ReviewRefused, match="somebody else"):
        services.withdraw(request.pk, cast.principal(cast.rita))
    assert services.expire_due() == 0


def test_people_are_reminded_each_day_until_somebody_looked(cast: Cast, glass: GiveStatement) -> None:
    request = end(glass())
    assert remind_of_glass() == 0
    for _ in range(2):
        a_day_passes(request)
        assert (remind_of_glass(), remind_of_glass()) == (1, 0)
    services.review(request.pk, cast.principal(cast.dora), "approve", "all of it was needed")
    a_day_passes(request)
    assert remind_of_glass() == 0
    assert Entry.objects.filter(kind="request.reminded").count() == 2


def a_day_passes(request: Request) -> None:
    request.refresh_from_db()
    day = timedelta(days=1)
    Request.objects.filter(pk=request.pk).update(
        created_at=request.created_at - day, reminded_at=request.reminded_at - day if request.reminded_at else None
    )


def test_a_group_of_others_looks_where_policy_says_so(cast: Cast) -> None:
    make_user("sam", "security")
    rule = '@id("security-looks") @review("security") forbid (principal, action == Action::"break_glass", resource);'
    store.activate(f"{store.default_text()}\n{rule}\n", ACTOR)
    request = end(break_glass(cast.principal(cast.rita), "shop", reason=REASON, door="web"))
    assert sorted(one["group"] for one in request.required) == ["dba", "security"]
