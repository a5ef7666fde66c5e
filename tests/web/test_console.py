"""The run page: the browser's door to the pipeline (P7)."""

from __future__ import annotations

from django.test import Client

from audit.models import Entry
from gateway.models import Query
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase
from tests.web.conftest import SignIn


def send(client: Client, sql: str, action: str = "run", **headers: str):
    values = {"datasource": "shop", "sql": sql, "purpose": "look", "action": action}
    return client.post("/run/", values, headers=headers)


def test_a_read_shows_masked_rows(cast: Cast, sign_in: SignIn) -> None:
    text = send(sign_in(cast.rita), "SELECT id, email FROM customers ORDER BY id").text
    assert "1 column masked" in text
    assert "person1@example.com" not in text


def test_it_is_recorded_as_the_web_door(cast: Cast, sign_in: SignIn) -> None:
    send(sign_in(cast.rita), "SELECT 1")
    assert Query.objects.get().door == "web"
    assert Entry.objects.get(kind="statement.intent").fields["door"] == "web"


def test_a_mass_write_is_parked(cast: Cast, shop: TargetDatabase, sign_in: SignIn) -> None:
    response = send(sign_in(cast.mallory), "DELETE FROM orders")
    assert "It waits for people" in response.text
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]


def test_a_denial_says_what_to_do(cast: Cast, sign_in: SignIn) -> None:
    response = send(sign_in(cast.rita), "DROP TABLE orders")
    assert response.status_code == 403
    assert "What to do:" in response.text


def test_a_syntax_error_is_shown_at_its_place(cast: Cast, sign_in: SignIn) -> None:
    response = send(sign_in(cast.rita), "SELECT * FORM orders")
    assert response.status_code == 400
    assert 'class="sql-hazard"' in response.text


def test_checking_runs_nothing_and_leaves_a_trace(cast: Cast, shop: TargetDatabase, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    before = Entry.objects.count()
    assert "Checked, not run" in send(client, "DELETE FROM orders", "check").text
    assert [entry.kind for entry in Entry.objects.filter(index__gte=before)] == ["statement.checked"]
    assert Query.objects.count() == 0
    assert shop.fetch("SELECT count(*) FROM orders") == [(60,)]


def test_an_empty_statement_is_not_sent(cast: Cast, sign_in: SignIn) -> None:
    response = send(sign_in(cast.rita), "  \r\n ")
    assert response.status_code == 422
    assert "Write a statement first." in response.text


def test_a_data_source_that_does_not_exist_is_not_sent(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    assert client.post("/run/", {"datasource": "elsewhere", "sql": "SELECT 1", "action": "run"}).status_code == 422


def test_line_ends_are_taken_as_they_were_typed(cast: Cast, sign_in: SignIn) -> None:
    send(sign_in(cast.rita), "SELECT 1,\r\n  2")
    assert Query.objects.get().sql == "SELECT 1,\n  2"


def test_htmx_gets_the_outcome_alone_and_always_200(cast: Cast, sign_in: SignIn) -> None:
    response = send(sign_in(cast.rita), "DROP TABLE orders", **{"HX-Request": "true"})
    assert response.status_code == 200
    assert "Denied by policy" in response.text
    assert "<html" not in response.text
