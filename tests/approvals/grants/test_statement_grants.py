"""What a review gives besides one run: the same statement again, within bounds, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import services
from approvals.errors import ReviewRefused
from approvals.grants.errors import GrantRefused
from approvals.grants.services import bound_of, narrow, open_bound_of
from approvals.models import Grant, GrantUse, Request
from audit.models import Entry
from gateway import impact
from gateway.granting import BoundExceeded
from gateway.models import Query, QueryState
from gateway.pipeline import submit
from governance.catalogue import store as catalogue_store
from governance.errors import Denied
from governance.policy import store
from identity.models import User
from tests.approvals.grants.conftest import DELETE, OPEN, RUNS, GiveStatement, parked
from tests.factories import ACTOR, Cast, make_agent, make_datasource, make_user
from tests.fixtures.databases import TargetDatabase

SAME_OTHER_VALUE = ("nowhere",)


def again(cast: Cast, sql: str = DELETE, params: tuple[Any, ...] = OPEN, who: Any = None, **more: Any) -> Query:
    return submit(cast.submission(sql, who, params=params, **more)).query


def orders(shop: TargetDatabase) -> int:
    return int(shop.fetch("SELECT count(*) FROM orders")[0][0])


# --- Giving -------------------------------------------------------------------------------------------------------


def test_an_approval_with_runs_gives_a_grant_bound_to_what_was_approved(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    assert (grant.kind, grant.principal, grant.max_uses, grant.uses) == ("statement", "agent:analyst-bot", 3, 0)
    assert (grant.row_bound, grant.relations) == (15, ["delete public.orders", "read public.orders"])
    assert grant.request is not None
    assert grant.fingerprint == grant.request.facts["fingerprint"]
    assert timedelta(minutes=59) < grant.expires_at - timezone.now() <= timedelta(hours=1)


def test_an_approval_for_one_run_gives_none(cast: Cast) -> None:
    services.review(parked(cast).pk, cast.principal(cast.rita), "approve", "")
    assert not Grant.objects.exists()


def test_the_narrowest_of_all_who_approve_counts(cast: Cast) -> None:
    request = two_must_approve(cast)
    services.review(
        request.pk, cast.principal(cast.rita), "approve", "", grant={"runs": 9, "seconds": 600}, row_bound=20
    )
    services.review(
        request.pk, cast.principal(cast.dora), "approve", "", grant={"runs": 2, "seconds": 7200}, row_bound=30
    )
    grant = Grant.objects.get()
    assert (grant.max_uses, grant.row_bound) == (2, 20)
    assert grant.expires_at - grant.created_at <= timedelta(seconds=601)


def test_one_who_gives_a_single_run_holds_the_others_to_it(cast: Cast) -> None:
    request = two_must_approve(cast)
    services.review(request.pk, cast.principal(cast.rita), "approve", "", grant=RUNS)
    services.review(request.pk, cast.principal(cast.dora), "approve", "once")
    assert not Grant.objects.exists()


def two_must_approve(cast: Cast) -> Request:
    request = parked(cast)
    Request.objects.filter(pk=request.pk).update(required=[{"group": "dba", "quorum": 2}])
    return request


def test_policy_that_lets_nothing_be_given_again_refuses_it(cast: Cast) -> None:
    request = parked(cast, "CREATE TABLE extra (id integer)")
    with pytest.raises(ReviewRefused, match="one run"):
        services.review(request.pk, cast.principal(cast.rita), "approve", "", grant=RUNS)


# --- Using --------------------------------------------------------------------------------------------------------


def test_the_same_statement_runs_at_once_with_other_values(
    cast: Cast, give: GiveStatement, shop: TargetDatabase
) -> None:
    grant = give()
    query = again(cast)
    assert (query.state, query.grant_id, query.request_id) == (QueryState.EXECUTED, grant.pk, None)
    assert orders(shop) == 45
    assert again(cast, params=SAME_OTHER_VALUE).state == QueryState.EXECUTED
    grant.refresh_from_db()
    assert grant.uses == 2
    assert set(GrantUse.objects.values_list("query", flat=True)) == set(
        Query.objects.filter(grant=grant).values_list("pk", flat=True)
    )


def test_p3_a_use_is_recorded_before_the_statement_begins(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    query = again(cast)
    told = [entry for entry in Entry.objects.order_by("index") if entry.fields.get("query") == str(query.pk)]
    assert [entry.kind for entry in told] == ["grant.used", "statement.intent", "statement.outcome"]
    assert {entry.fields["grant"] for entry in told} == {str(grant.pk)}


def test_the_runs_are_used_up_and_then_it_parks(cast: Cast, give: GiveStatement) -> None:
    give(grant={"runs": 1, "seconds": 3600})
    assert again(cast).state == QueryState.EXECUTED
    assert again(cast).state == QueryState.PARKED


def test_p4_a_run_that_changes_more_rows_than_the_bound_is_rolled_back(
    cast: Cast, give: GiveStatement, shop: TargetDatabase
) -> None:
    give()
    with pytest.raises(BoundExceeded, match="45 rows") as refused:
        again(cast, params=("done",))
    assert orders(shop) == 60
    query = refused.value.query
    assert (query.state, query.problem["code"]) == (QueryState.FAILED, "grant-exceeded")


def test_what_went_past_the_bound_waits_for_people_when_it_is_sent_again(cast: Cast, give: GiveStatement) -> None:
    give()
    with pytest.raises(BoundExceeded):
        again(cast, params=("done",))
    assert again(cast, params=("done",)).state == QueryState.PARKED
    assert again(cast).state == QueryState.EXECUTED


def test_a_run_that_fails_counts_too(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    with pytest.raises(BoundExceeded):
        again(cast, params=("done",))
    grant.refresh_from_db()
    assert grant.uses == 1


def test_a_write_whose_bound_nobody_knows_is_not_covered(cast: Cast, give: GiveStatement) -> None:
    grant = give(row_bound=None)
    assert again(cast).state == QueryState.PARKED
    Request.objects.filter(grants=grant).update(row_bound=17)  # as its impact is measured
    assert again(cast).state == QueryState.EXECUTED


# --- Never --------------------------------------------------------------------------------------------------------


def another_text(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    return again(cast, "DELETE FROM orders WHERE status > $1")


def another_relation(cast: Cast, _shop: TargetDatabase, grant: Grant) -> Query:
    """As if the same name meant another relation."""
    Grant.objects.filter(pk=grant.pk).update(relations=["delete sales.orders"])
    return again(cast)


def another_schema(cast: Cast, shop: TargetDatabase, _grant: Grant) -> Query:
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    from governance.catalogue import store as catalogues

    catalogues.synchronise(cast.datasource, actor=ACTOR)
    return again(cast)


def another_search_path(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    cast.datasource.search_path = ["public", "pg_catalog"]
    cast.datasource.save()
    return again(cast)


def another_data_source(cast: Cast, shop: TargetDatabase, _grant: Grant) -> Query:
    cast.datasource = make_datasource(shop.dsn, name="other")
    return again(cast)


def another_agent_of_the_owner(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    return again(cast, who=make_agent("other-bot", cast.alice))


def the_owner(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    return again(cast, who=cast.alice)


def for_somebody_else(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    return again(cast, on_behalf_of="dora")


def another_owner(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    """P5: else whoever approved could take the agent over, and with it what they approved."""
    cast.bot.owner = cast.rita
    cast.bot.save()
    return again(cast)


def expired(cast: Cast, _shop: TargetDatabase, grant: Grant) -> Query:
    Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now())
    return again(cast)


def revoked(cast: Cast, _shop: TargetDatabase, grant: Grant) -> Query:
    Grant.objects.filter(pk=grant.pk).update(revoked_at=timezone.now())
    return again(cast)


def given_by_somebody_who_is_gone(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
    User.objects.filter(pk=cast.rita.pk).update(is_active=False)
    return again(cast)


def with_policy(text: str) -> Any:
    def stricter(cast: Cast, _shop: TargetDatabase, _grant: Grant) -> Query:
        store.activate(f"{store.default_text()}\n{text}\n", ACTOR)
        return again(cast)

    return stricter


def brake(annotations: str) -> Any:
    return with_policy(f'@id("more") {annotations}\nforbid (principal, action == Action::"write", resource);')


@pytest.mark.parametrize(
    "changed",
    [
        another_text, another_relation, another_schema, another_search_path, another_data_source,
        another_agent_of_the_owner, the_owner, for_somebody_else, another_owner, expired, revoked,
        given_by_somebody_who_is_gone,
        pytest.param(brake('@review("dba") @quorum("2") @grantable("7d")'), id="a-higher-quorum"),
        pytest.param(brake('@review("security") @grantable("7d")'), id="another-group"),
        pytest.param(brake('@review("dba") @stage("2") @grantable("7d")'), id="another-stage"),
        pytest.param(brake('@review("dba") @step_up("10m") @grantable("7d")'), id="a-second-factor"),
        pytest.param(brake('@review("dba") @window("daily 00:00-24:00 UTC") @grantable("7d")'), id="a-window"),
        pytest.param(brake('@review("dba")'), id="not-grantable-any-more"),
    ],
)  # fmt: skip
def test_it_never_covers_what_differs(cast: Cast, give: GiveStatement, shop: TargetDatabase, changed: Any) -> None:
    make_user("sam", "security")
    grant = give()
    query = changed(cast, shop, grant)
    grant.refresh_from_db()
    assert (query.state, grant.uses) == (QueryState.PARKED, 0)


def test_a_denial_stays_a_denial(cast: Cast, give: GiveStatement) -> None:
    grant = give()
    store.activate(
        f'{store.default_text()}\n@id("no") forbid (principal, action == Action::"write", resource);\n', ACTOR
    )
    with pytest.raises(Denied):
        again(cast)
    grant.refresh_from_db()
    assert grant.uses == 0


def test_a_lower_bound_counts_from_then_on(cast: Cast, give: GiveStatement, shop: TargetDatabase) -> None:
    narrow(give().pk, cast.principal(cast.rita), row_bound=10)
    with pytest.raises(BoundExceeded, match="covers 10"):
        again(cast)
    assert orders(shop) == 60


# --- Where a fingerprint does not say what is done ----------------------------------------------------------------

TO_SOMEBODY = 'GRANT SELECT ON orders TO "{}"'


@pytest.fixture
def everything_again(cast: Cast) -> None:
    """Policies that let any approval give more than one run, as an installation may have them."""
    store.activate(
        re.sub(r'@expires\("4h"\)\n(?:@grantable.*\n)?', '@expires("4h")\n@grantable("7d")\n', store.default_text()),
        ACTOR,
    )


@pytest.fixture
def someone_else(shop: TargetDatabase) -> Iterator[str]:
    name = f"{shop.role}_else"
    shop.admin.execute(f'CREATE ROLE "{name}"')
    yield name
    shop.admin.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


@pytest.mark.usefixtures("everything_again")
def test_p4_a_privilege_given_to_one_role_is_not_given_to_another(
    cast: Cast, give: GiveStatement, shop: TargetDatabase, someone_else: str
) -> None:
    """PostgreSQL's fingerprint knows GRANT … TO one from GRANT … TO another as little as one number from another."""
    grant = give(TO_SOMEBODY.format(shop.role), params=())
    query = again(cast, TO_SOMEBODY.format(someone_else), ())
    assert query.fingerprint == grant.fingerprint
    assert query.state == QueryState.PARKED
    grant.refresh_from_db()
    assert grant.uses == 0


@pytest.mark.usefixtures("everything_again")
def test_p4_rows_that_a_foreign_key_takes_along_are_bounded_too(
    cast: Cast, give: GiveStatement, shop: TargetDatabase
) -> None:
    """The same statement about another row can carry far more on to other relations."""
    shop.admin.execute(
        "CREATE TABLE lines (of integer REFERENCES orders ON DELETE CASCADE); GRANT ALL ON lines TO public;"
        "INSERT INTO lines SELECT id FROM orders; INSERT INTO lines SELECT 2 FROM generate_series(1, 500)"
    )
    catalogue_store.synchronise(cast.datasource, actor=ACTOR)
    one = "DELETE FROM orders WHERE id = $1"
    request = parked(cast, one, params=(1,))
    impact.measure(request.pk)
    services.review(request.pk, cast.principal(cast.rita), "approve", "", grant=RUNS)
    with pytest.raises(BoundExceeded, match="in all relations"):
        again(cast, one, (2,))
    assert orders(shop) == 60
    assert again(cast, one, (3,)).state == QueryState.EXECUTED


@pytest.mark.usefixtures("everything_again")
def test_p2_no_bound_and_no_refusal_counts_what_is_masked(cast: Cast, shop: TargetDatabase) -> None:
    """Else whoever has the grant could count, value by value, what is in a column that is masked for them."""
    request = parked(cast, "DELETE FROM cards WHERE number LIKE $1", params=("41111111111100%",))
    impact.measure(request.pk)
    services.review(request.pk, cast.principal(cast.rita), "approve", "", grant=RUNS)
    grant = Grant.objects.get(request=request)
    assert (bound_of(grant), open_bound_of(grant)) == (22, None)
    with pytest.raises(GrantRefused, match="tells of masked values"):
        narrow(grant.pk, cast.principal(cast.alice), row_bound=3)
    narrow(grant.pk, cast.principal(cast.rita), row_bound=3)
    assert Entry.objects.get(kind="grant.narrowed").fields["changes"] == ["row_bound: cut down"]
    with pytest.raises(BoundExceeded) as refused:
        again(cast, "DELETE FROM cards WHERE number LIKE $1", ("411111111111001%",))
    assert not any(character.isdigit() for character in refused.value.message)
    told = [entry.fields.get("row_bound") for entry in Entry.objects.filter(kind__startswith="grant.")]
    assert set(told) == {None}
