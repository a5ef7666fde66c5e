"""What a request would do, measured on a real database."""

from __future__ import annotations

import pytest
from django.conf import settings

from approvals.models import Impact
from gateway import impact
from governance.catalogue import store as catalogue_store
from governance.classification import classify
from governance.policy import store as policy_store
from tests.factories import ACTOR, Cast, make_user
from tests.fixtures.databases import TargetDatabase
from tests.gateway.impact_ground import Measure, Park, cell, changes, content, impact_of, said
from tests.gateway.impact_ground import larger_shop as larger_shop
from tests.gateway.impact_ground import measure as measure
from tests.gateway.impact_ground import park as park

CANCEL = "UPDATE orders SET status = 'cancelled' WHERE status = 'open'"

# --- Rows ---------------------------------------------------------------------------------------------------------


def test_the_exact_rows_and_their_share_of_the_table_are_told(measure: Measure) -> None:
    found = measure("DELETE FROM orders WHERE status = 'open'")
    assert (found.state, found.rows, found.table_rows) == (Impact.State.MEASURED, 15, 60)
    assert said(found) == "Deletes 15 of 60 rows of public.orders (25 %)."


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("DELETE FROM orders", "Deletes 60 of 60 rows of public.orders (all of them)."),
        (CANCEL, "Changes 15 of 60 rows of public.orders (25 %)."),
        ("INSERT INTO orders SELECT id + 100, 1, 1, 'open' FROM orders", "Adds 60 rows to public.orders."),
        ("DELETE FROM orders WHERE status = 'nothing'", "Changes no row of public.orders as things stand."),
        (
            "WITH gone AS (DELETE FROM orders WHERE status = 'open' RETURNING id) SELECT count(*) FROM gone",
            "Deletes 15 of 60 rows of public.orders (25 %).",
        ),
        (
            "MERGE INTO orders o USING (SELECT 1 AS id) s ON o.id = s.id WHEN MATCHED THEN DELETE",
            "Deletes 1 of 60 rows of public.orders (1.7 %).",
        ),
        (
            "INSERT INTO orders SELECT id + 59, 1, 1, 'x' FROM orders ON CONFLICT (id) DO UPDATE SET status = 'y'",
            "Adds 59 rows to public.orders and changes 1 of 60 rows of public.orders (1.7 %).",
        ),
        (
            "DELETE FROM orders WHERE status = 'open'; UPDATE orders SET status = 'x' WHERE status = 'done'",
            "Changes 45 of 60 rows of public.orders (75 %) and deletes 15 of 60 rows of public.orders (25 %).",
        ),
    ],
)
def test_every_form_of_a_write_is_told_in_a_sentence(measure: Measure, sql: str, sentence: str) -> None:
    assert said(measure(sql)) == sentence


def test_parameters_are_those_of_the_request(measure: Measure) -> None:
    assert measure("DELETE FROM orders WHERE status = $1", params=("open",)).rows == 15


def test_the_planner_estimate_stands_beside_the_exact_rows(measure: Measure, shop: TargetDatabase) -> None:
    shop.admin.execute("ANALYZE orders")
    found = measure("DELETE FROM orders")
    assert (found.estimated_rows, found.rows) == (60, 60)


def test_rows_of_partitions_are_told_as_those_of_the_whole(measure: Measure, larger_shop: TargetDatabase) -> None:
    larger_shop.admin.execute("ANALYZE parts")
    found = measure("DELETE FROM parts WHERE id < 400")
    assert said(found) == "Deletes 400 of 730 rows of public.parts (55 %)."
    assert {name: one.cause for name, one in changes(found).items()} == {
        "parts_2024": "partition", "parts_2025": "partition",
    }  # fmt: skip


# --- What it carries with it ----------------------------------------------------------------------------------------


def test_rows_that_a_foreign_key_takes_along_are_counted(measure: Measure, larger_shop: TargetDatabase) -> None:
    found = measure("DELETE FROM orders WHERE id <= 30")
    assert changes(found)["parcels"].deleted == 59
    assert changes(found)["parcels"].cause == "foreign-key"
    assert said(found) == "Deletes 30 of 60 rows of public.orders (50 %) and with it 59 rows of 1 other relation."


def test_rows_and_triggers_that_a_trigger_brings_are_told(measure: Measure, larger_shop: TargetDatabase) -> None:
    found = measure("UPDATE noted SET body = 'x'")
    assert changes(found)["history"].inserted == 10
    assert changes(found)["history"].cause == "trigger"
    assert [(fired.name, fired.events) for fired in content(found).triggers] == [("keeps", ("update",))]


def test_a_sequence_that_no_rollback_sets_back_is_named(measure: Measure, larger_shop: TargetDatabase) -> None:
    found = measure("UPDATE noted SET body = 'x'")
    assert content(found).sequences == ("public.history_id_seq",)


def test_a_sequence_that_only_others_moved_is_not_named(measure: Measure, larger_shop: TargetDatabase) -> None:
    larger_shop.admin.execute("SELECT nextval('history_id_seq')")
    assert content(measure("UPDATE noted SET id = id")).triggers
    assert content(measure(CANCEL)).sequences == ()


# --- The sample -----------------------------------------------------------------------------------------------------


def test_a_changed_row_is_shown_before_and_after(measure: Measure) -> None:
    found = measure(CANCEL)
    status = cell(found, "status")
    assert (status.before, status.after, status.changed) == ("open", "cancelled", True)
    assert (cell(found, "total").changed, cell(found, "id").is_key) == (False, True)
    assert content(found).samples[0].total == 15


@pytest.mark.parametrize(
    ("sql", "sides"),
    [
        ("DELETE FROM orders", ("open", None)),
        ("INSERT INTO orders SELECT id + 100, 1, 1, 'new' FROM orders", (None, "new")),
    ],
)
def test_a_row_that_goes_or_comes_is_shown_on_its_side(measure: Measure, sql: str, sides: tuple[object, ...]) -> None:
    found = measure(f"{sql} RETURNING id")
    shown = [cell(found, "status", row) for row in range(20)]
    assert sides in [(one.before, one.after) for one in shown]


def test_not_more_than_twenty_rows_are_shown_of_all(measure: Measure) -> None:
    (sample,) = content(measure("DELETE FROM orders")).samples
    assert (len(sample.rows), sample.total) == (20, 60)


def test_a_trailing_comment_and_a_returning_of_its_own_do_not_hide_the_rows(measure: Measure) -> None:
    found = measure("DELETE FROM orders WHERE status = 'open' RETURNING *; -- clean up")
    assert (found.rows, len(content(found).samples[0].rows)) == (15, 15)


def test_classified_columns_are_masked_for_everybody_and_other_text_is_scrubbed(
    measure: Measure, shop: TargetDatabase
) -> None:
    shop.admin.execute("UPDATE customers SET plan = 'key sk_live_4242424242424242 of me@example.com'")
    found = measure("UPDATE customers SET city = 'x' WHERE id > 0 AND city <> ''")
    shown = str(found.content)
    assert "Person 1" not in shown
    assert "person1@" not in shown
    assert "sk_live_" not in shown
    assert "me@example" not in shown
    assert cell(found, "email").before == "***@example.com"
    assert (cell(found, "email").masked, cell(found, "city").masked) == (True, False)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE orders SET amount = (SELECT pin FROM cards WHERE id = 1) WHERE id < 9",
        "UPDATE orders o SET amount = c.pin FROM cards c WHERE c.id = o.id",
        "INSERT INTO orders (id, customer_id, total, status, amount) SELECT id + 100, 1, 1, 'new', pin FROM cards",
    ],
)
def test_p2_what_is_copied_from_a_classified_column_is_masked_where_it_goes(
    cast: Cast, measure: Measure, shop: TargetDatabase, sql: str
) -> None:
    """Whoever asked may see it; those who look at the sample need not."""
    shop.admin.execute("ALTER TABLE cards ADD pin integer DEFAULT 987654; ALTER TABLE orders ADD amount integer")
    catalogue_store.synchronise(cast.datasource, actor=ACTOR)
    classify(cast.datasource, "public.cards.pin", "secret", actor=ACTOR)
    sees = '@id("sees") permit (principal, action == Action::"unmask", resource);'
    policy_store.activate(f"{policy_store.default_text()}\n{sees}\n", ACTOR)
    found = measure(sql, make_user("sam"))
    assert content(found).samples
    assert "987654" not in str(found.content)


def test_a_role_that_may_not_read_still_has_its_rows_counted(measure: Measure, shop: TargetDatabase) -> None:
    shop.admin.execute(f'ALTER TABLE orders OWNER TO CURRENT_USER; REVOKE ALL ON orders FROM "{shop.role}"')
    shop.admin.execute(f'GRANT DELETE ON orders TO "{shop.role}"')
    found = measure("DELETE FROM orders")
    assert (found.rows, content(found).samples) == (60, ())
    assert content(found).no_sample


# --- Locks and definitions --------------------------------------------------------------------------------------------


def test_the_lock_that_a_definition_takes_and_what_it_rewrites_are_told(measure: Measure) -> None:
    found = measure("ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint")
    modes = {lock.name: lock.mode for lock in content(found).locks}
    assert modes["orders"] == "AccessExclusiveLock"
    assert content(found).rewritten == ("public.orders",)
    assert said(found).startswith("Changes the definition of public.orders (60 rows, ")
    assert said(found).endswith(" and writes it anew, whole.")


def test_a_definition_that_rewrites_nothing_says_so(measure: Measure) -> None:
    found = measure("ALTER TABLE orders ADD COLUMN note text")
    assert content(found).rewritten == ()
    assert content(found).locks[0].mode == "AccessExclusiveLock"


def test_a_write_holds_up_nobody_but_those_who_want_the_same_rows(measure: Measure) -> None:
    assert {lock.mode for lock in content(measure(CANCEL)).locks if lock.name == "orders"} == {"RowExclusiveLock"}


# --- What would fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "sqlstate", "words"),
    [
        ("INSERT INTO orders SELECT id, 1, 1, 'x' FROM orders", "23505", "(orders_pkey of public.orders)"),
        ("DELETE FROM customers WHERE id < 5", "23503", "(cards_customer_id_fkey of public.cards)"),
        ("UPDATE orders SET total = 1 / (id - 1)", "22012", "divides by zero"),
        ("UPDATE noted SET amount = 1", "23505", "(noted_amount_key of public.noted)"),
    ],
)
def test_a_statement_that_would_fail_says_so_before_anybody_approves(
    measure: Measure, larger_shop: TargetDatabase, sql: str, sqlstate: str, words: str
) -> None:
    found = measure(sql)
    failure = content(found).failure
    assert failure is not None
    assert (found.state, found.rows, failure.sqlstate) == (Impact.State.MEASURED, None, sqlstate)
    assert said(found).startswith("Would fail: ")
    assert words in said(found)


def test_the_message_of_the_database_is_never_kept(measure: Measure, larger_shop: TargetDatabase) -> None:
    """It would quote the row."""
    found = measure("UPDATE orders SET total = status::integer")
    assert "open" not in str(found.content)
    assert "done" not in str(found.content)


# --- What is not tried out --------------------------------------------------------------------------------------------


def test_what_is_too_large_is_estimated_only(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_ROWS", 10)
    found = measure("DELETE FROM orders")
    assert (found.state, found.rows) == (Impact.State.UNMEASURED, None)
    assert "above 10 the locks would hurt" in found.problem


def test_a_definition_of_a_large_relation_is_not_tried_out(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRY_RUN_ROWS", 10)
    assert "the lock on it would hurt" in measure("ALTER TABLE orders ADD COLUMN note text").problem


def test_trial_runs_can_be_switched_off(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRY_RUNS", False)
    found = measure("DELETE FROM orders")
    assert (found.state, found.problem) == (Impact.State.UNMEASURED, "trial runs are switched off here")
    assert found.estimated_rows is not None


def test_an_opaque_trigger_is_not_set_off(measure: Measure, cast: object, shop: TargetDatabase) -> None:
    """Its function could reach outside, and no rollback would follow it there."""
    shop.admin.execute("""
        CREATE FUNCTION opaque() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN EXECUTE 'SELECT 1'; RETURN NULL; END $$;
        CREATE TRIGGER reaches AFTER DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION opaque();
    """)
    from governance.catalogue import store

    store.synchronise(cast.datasource, actor="test")  # type: ignore[attr-defined]
    found = measure("DELETE FROM orders")
    assert found.state == Impact.State.UNMEASURED
    assert "a trigger whose function is not read" in found.problem


def test_event_triggers_keep_definitions_from_being_tried_out(measure: Measure, shop: TargetDatabase) -> None:
    shop.admin.execute("""
        CREATE FUNCTION watches() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
        CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watches();
    """)
    try:
        assert "event triggers" in measure("ALTER TABLE orders ADD COLUMN note text").problem
    finally:
        shop.admin.execute("DROP EVENT TRIGGER watch")


# --- The bound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "bound"), [("DELETE FROM orders", 66), ("DELETE FROM orders WHERE id < 0 OR id > 61", 0)]
)
def test_p4_an_approval_lets_it_change_a_tenth_more_rows_than_it_was_measured_to(
    measure: Measure, sql: str, bound: int
) -> None:
    assert measure(sql).request.row_bound == bound


def test_p4_a_bound_that_was_set_already_stays(park: Park) -> None:
    request = park("DELETE FROM orders")
    type(request).objects.filter(pk=request.pk).update(row_bound=7)
    impact.measure(request.pk)
    assert impact_of(request).request.row_bound == 7


def test_p4_whoever_runs_it_measures_first_what_nobody_has_measured(park: Park) -> None:
    request = park("DELETE FROM orders")
    found = impact.ensure_measured(request)
    assert found is not None
    assert found.state == Impact.State.MEASURED
    assert request.row_bound == 66


def test_whether_it_can_be_taken_back_is_told(measure: Measure) -> None:
    undo = content(measure("DELETE FROM orders")).undo
    assert undo is not None
    assert undo.possible
    undo = content(measure("ALTER TABLE orders ADD COLUMN note text")).undo
    assert undo is not None
    assert not undo.possible
    assert undo.why
