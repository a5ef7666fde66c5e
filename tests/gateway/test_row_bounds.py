"""How many rows an approval lets a run change: by itself, and with what it carries on to other relations (P4)."""

from __future__ import annotations

import pytest

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit.models import Entry
from gateway import impact
from gateway.models import Query
from gateway.pipeline import submit
from governance.catalogue import store as catalogue_store
from governance.policy import store as policy_store
from tests.factories import ACTOR, Cast
from tests.fixtures.databases import TargetDatabase
from tests.gateway.test_drifting import DELETE, approved, rows, run, successor, told, what

pytestmark = pytest.mark.usefixtures("nobody_works")


def bound(request: Request, most: int | None, floor: int | None = None) -> None:
    Request.objects.filter(pk=request.pk).update(row_bound=most, row_floor=floor)


def test_p4_more_rows_than_approved_are_rolled_back(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    bound(request, 14)
    assert run(request) == State.DRIFTED
    assert request.drift == [{"what": "size", "detail": "It would have changed 15 rows; 14 were approved."}]
    assert rows(shop) == 60
    assert successor(request).state == State.PENDING


def test_p4_a_bound_that_a_reviewer_gave_holds(cast: Cast, shop: TargetDatabase) -> None:
    request = submit(cast.submission(DELETE)).query.request
    assert request is not None
    approvals.review(request.pk, cast.principal(cast.rita), "approve", "", row_bound=3)
    assert run(request) == State.DRIFTED
    assert rows(shop) == 60


def test_p4_as_many_rows_as_approved_run(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    bound(request, 15)
    assert run(request) == State.EXECUTED
    assert rows(shop) == 45


def test_p4_fewer_rows_than_it_is_about_are_rolled_back_for_good(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    bound(request, 18, 18)
    assert run(request) == State.DRIFTED
    assert told(request) == "It would have changed 15 of 18 rows: 3 have changed since, or are gone."
    assert rows(shop) == 60
    assert not Request.objects.filter(follows=request).exists()


def test_the_intent_of_what_was_rolled_back_is_closed(cast: Cast, shop: TargetDatabase) -> None:
    request = approved(cast)
    bound(request, 1)
    run(request)
    kinds = [entry.kind for entry in Entry.objects.order_by("index")][-6:]
    assert kinds == [
        "execution.started", "statement.intent", "request.created", "statement.parked", "execution.finished",
        "request.drifted",
    ]  # fmt: skip


CASCADING = "CREATE TABLE lines (id integer, of integer REFERENCES orders ON DELETE CASCADE);"
TRIGGERING = """
CREATE TABLE lines (id integer, of integer);
CREATE FUNCTION take_lines() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN DELETE FROM lines WHERE of = OLD.id; RETURN OLD; END';
CREATE TRIGGER lines_too BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION take_lines();
"""


@pytest.mark.parametrize("carried", [CASCADING, TRIGGERING], ids=["by a foreign key", "by a trigger"])
def test_p4_what_it_carries_on_to_other_relations_is_bounded_as_well(
    cast: Cast, shop: TargetDatabase, carried: str
) -> None:
    shop.admin.execute(
        f"{carried} INSERT INTO lines SELECT n, n FROM generate_series(1, 60) n; GRANT ALL ON lines TO public"
    )
    catalogue_store.synchronise(cast.datasource, actor=ACTOR)
    parked = submit(cast.submission(DELETE)).query.request
    assert parked is not None
    impact.measure(parked.pk)
    request = approvals.review(parked.pk, cast.principal(cast.rita), "approve", "")
    shop.admin.execute("INSERT INTO lines SELECT n, 4 FROM generate_series(1000, 1010) n")
    assert run(request) == State.DRIFTED
    assert told(request) == (
        "With what it carries on to other relations it would have changed 41 rows; 34 at all follow from what was measured"
        " and approved."
    )
    assert rows(shop) == 60


def test_p4_what_empties_a_relation_is_bound_to_its_size(cast: Cast, shop: TargetDatabase) -> None:
    """Nobody counts the rows that go with it."""
    text = policy_store.default_text().replace('@id("truncate")', '@id("truncate") @review("dba")')
    policy_store.activate(text, author=ACTOR)
    shop.admin.execute(
        "CREATE TABLE heap (id integer); INSERT INTO heap VALUES (1); ANALYZE heap; GRANT ALL ON heap TO public"
    )
    request = approved(cast, "TRUNCATE heap")
    shop.admin.execute("INSERT INTO heap SELECT n FROM generate_series(1, 3000) n; ANALYZE heap")
    assert run(request) == State.DRIFTED
    assert what(request) == {"size"}


def test_p4_growth_is_drift_where_no_bound_is_known(
    cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.admin.execute("ANALYZE orders")
    request = approved(cast)
    shop.admin.execute("INSERT INTO orders SELECT n, 1, 1, 'new' FROM generate_series(100, 3000) n; ANALYZE orders")
    unmeasured(monkeypatch)
    assert run(request) == State.DRIFTED
    assert told(request) == "public.orders had about 60 rows and has about 2,961 now."


def test_little_growth_is_none(cast: Cast, shop: TargetDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.admin.execute("ANALYZE orders")
    request = approved(cast)
    shop.admin.execute("INSERT INTO orders SELECT n, 1, 1, 'new' FROM generate_series(100, 900) n; ANALYZE orders")
    unmeasured(monkeypatch)
    assert run(request) == State.EXECUTED


def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.impact.ensure_measured", lambda _request: None)
    Request.objects.update(row_bound=None)


def test_p2_no_count_tells_what_is_in_a_masked_column(cast: Cast, shop: TargetDatabase) -> None:
    """Whoever asked sees why it did not run; how many rows match a value that is masked for them is not for them."""
    request = approved(cast, "DELETE FROM cards WHERE number LIKE '4111%'")
    bound(request, 3)
    assert run(request) == State.DRIFTED
    assert told(request) == "It would have changed more rows than were approved."
    assert "20" not in (Query.objects.get(request=request).problem or {})["detail"]
