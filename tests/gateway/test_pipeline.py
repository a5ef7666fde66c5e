"""The life of a statement, on real databases."""

from __future__ import annotations

import pytest

from audit.models import Entry
from gateway.models import QueryState
from gateway.pipeline import submit
from governance.errors import Denied, DriverFailed, Unreadable
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase


def kinds() -> list[str]:
    return list(Entry.objects.filter(kind__startswith="statement").order_by("index").values_list("kind", flat=True))


def test_a_read_returns_masked_values(cast: Cast) -> None:
    outcome = submit(cast.submission("SELECT email, name, city FROM customers WHERE id = 1"))
    assert outcome.content is not None
    assert outcome.content["rows"] == [["***@example.com", "[redacted]", "City 1"]]
    assert [column["masked"] for column in outcome.content["columns"]] == [True, True, False]


def test_a_read_is_recorded_before_and_after(cast: Cast) -> None:
    submit(cast.submission("SELECT 1"))
    assert kinds() == ["statement.intent", "statement.outcome"]


def test_a_mass_delete_is_parked_and_runs_nothing(cast: Cast, shop: TargetDatabase) -> None:
    outcome = submit(cast.submission("DELETE FROM orders"))
    assert outcome.query.state == QueryState.PARKED
    assert outcome.query.request is not None
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]
    assert kinds() == ["statement.parked"]


def test_a_drop_is_denied_with_a_remedy_and_recorded(cast: Cast, shop: TargetDatabase) -> None:
    with pytest.raises(Denied) as denied:
        submit(cast.submission("DROP TABLE orders"))
    assert denied.value.remedy
    assert denied.value.query.state == QueryState.DENIED
    assert kinds() == ["statement.denied"]


def test_a_small_write_by_key_passes(cast: Cast, shop: TargetDatabase) -> None:
    outcome = submit(cast.submission("UPDATE orders SET status = $1 WHERE id = $2", params=("done", 4)))
    assert outcome.query.row_count == 1
    assert shop.fetch("SELECT status FROM orders WHERE id = 4") == [("done",)]


def test_a_text_that_cannot_be_read_is_refused_and_recorded(cast: Cast) -> None:
    with pytest.raises(Unreadable):
        submit(cast.submission("SELEC 1"))
    assert kinds() == ["statement.denied"]


def test_an_error_of_the_database_is_told_and_recorded(cast: Cast) -> None:
    with pytest.raises(DriverFailed) as failed:
        submit(cast.submission("SELECT 1 / 0"))
    assert failed.value.sqlstate == "22012"
    assert kinds() == ["statement.intent", "statement.outcome"]


PLACES = {
    "SELECT nonsense FROM orders": 7,
    "SELECT id FROM customers WHERE nonsense = 1": 31,
    "SELECT 'é' FROM customers c JOIN cards d ON c.id = d.customer_id WHERE nonsense = 1": 71,
    "SELECT 1; SELECT id FROM customers WHERE nonsense = 1": 41,
}


@pytest.mark.parametrize(("sql", "place"), PLACES.items())
def test_an_error_s_place_is_told_in_the_caller_s_own_text(cast: Cast, sql: str, place: int) -> None:
    with pytest.raises(DriverFailed) as failed:
        submit(cast.submission(sql))
    assert failed.value.place == place
