"""Bad input gets its own clear problem document; nothing runs, nothing is lost, never a 500."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import ledger
from audit.ledger import LedgerUnavailable
from audit.models import Entry
from governance.models import DataSource
from identity.credentials import issue, revoke
from tests.api.conftest import Caller
from tests.factories import Cast

READ = {"datasource": "shop", "sql": "SELECT 1"}


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:countersign:problem:{code}")
    assert body["title"]
    return body


def intents() -> int:
    return Entry.objects.filter(kind="statement.intent").count()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("   -- nothing\n", "empty", id="only a comment"),
        pytest.param("SELEC 1", "syntax error", id="unparsable"),
        pytest.param("SELECT $1; SELECT 2", "parameters", id="parameters with two statements"),
        pytest.param("SELECT 1;" * 101, "100", id="too many statements"),
        pytest.param("SELECT " + "(" * 500 + "1" + ")" * 500, "nests", id="nested too deeply"),
    ],
)
def test_sql_that_is_not_one_statement_is_refused_and_recorded(bot: Caller, sql: str, says: str) -> None:
    body = assert_problem(bot.submit(sql), 400, "unreadable")
    assert says in body["detail"]
    assert intents() == 0
    assert Entry.objects.filter(kind="statement.denied").count() == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param({"sql": "SELECT 1"}, "datasource", id="no data source"),
        pytest.param({**READ, "sql": 5}, "sql: must be text", id="sql is a number"),
        pytest.param({**READ, "sql": "SELECT 'x\x00y'"}, "Null characters", id="a NUL character"),
        pytest.param({**READ, "params": "x"}, "params", id="params is text"),
        pytest.param({**READ, "max_rows": "5"}, "max_rows: must be a whole number", id="max_rows is text"),
        pytest.param({**READ, "max_rows": 0}, "max_rows", id="max_rows is nothing"),
        pytest.param({**READ, "max_rows": True}, "max_rows", id="max_rows is true"),
        pytest.param({**READ, "dry_run": "yes"}, "dry_run: must be true or false", id="dry_run is text"),
        pytest.param({**READ, "wait": 10_000}, "wait", id="wait is too long"),
        pytest.param({**READ, "max_row": 5}, "max_row: is not a known field", id="a typing error"),
        pytest.param({**READ, "run": {"traceparent": "zz"}}, "run.traceparent", id="no traceparent"),
        pytest.param({**READ, "run": []}, "run", id="run is a list"),
        pytest.param([], "must be a JSON object", id="a list"),
        pytest.param("null", "", id="null"),
    ],
)
def test_a_wrong_field_is_named(bot: Caller, body: Any, says: str) -> None:
    problem = assert_problem(bot.post("queries", body), 400, "invalid")
    assert says in problem["detail"]
    assert intents() == 0


def test_a_body_that_is_not_json_is_told_where(bot: Caller) -> None:
    response = Client().post(
        "/api/v1/queries", b'{"sql": ', "application/json", headers={"Authorization": f"Bearer {bot.token}"}
    )
    assert "line 1" in assert_problem(response, 400, "parse-error")["detail"]


def test_a_body_of_another_type_is_refused(bot: Caller) -> None:
    response = Client().post("/api/v1/queries", b"x", "text/plain", headers={"Authorization": f"Bearer {bot.token}"})
    assert_problem(response, 415, "unsupported-media-type")


def test_an_oversize_body_is_refused(bot: Caller) -> None:
    assert_problem(bot.submit("SELECT '" + "x" * 1_100_000 + "'"), 413, "too-large")


def test_an_unknown_data_source_is_named(bot: Caller) -> None:
    body = assert_problem(bot.post("queries", {"datasource": "nope", "sql": "SELECT 1"}), 404, "unknown-datasource")
    assert "nope" in body["detail"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer cs_aaaaaaaa_" + "x" * 43, "Bearer ä", "Bearer a b c"]
)
def test_a_wrong_token_is_refused_without_a_hint(cast: Cast, header: str) -> None:
    response = Client().post("/api/v1/queries", READ, "application/json", headers={"Authorization": header})
    body = assert_problem(response, 401, "not-authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert body["detail"] == "The token is missing, wrong, expired or revoked."


def test_a_revoked_token_is_refused(cast: Cast) -> None:
    issued = issue(cast.bot, issued_by="test")
    revoke(issued.credential, actor="test")
    assert_problem(Caller(issued.token, "shop").submit("SELECT 1"), 401, "not-authenticated")


def test_the_secret_part_of_a_token_counts(cast: Cast) -> None:
    token = cast.token(cast.bot)
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert_problem(Caller(wrong, "shop").submit("SELECT 1"), 401, "not-authenticated")


@pytest.mark.parametrize("path", ["queries/{}", "queries/{}/result"])
def test_an_unknown_query_is_told(bot: Caller, path: str) -> None:
    assert_problem(bot.get(path.format(uuid.uuid4())), 404, "unknown-query")


@pytest.mark.parametrize("path", ["nowhere", "queries/not-a-uuid", ""])
def test_an_address_that_does_not_exist_is_told(bot: Caller, path: str) -> None:
    assert_problem(bot.get(path), 404, "not-found")


def test_a_method_that_is_not_there_is_told(bot: Caller) -> None:
    assert_problem(bot.get("queries"), 405, "method-not-allowed")


@pytest.mark.parametrize("query", ["since=yesterday", "limit=0", "limit=x", "verdcit=deny", "before=x"])
def test_a_filter_that_is_not_understood_is_told(bot: Caller, query: str) -> None:
    assert_problem(bot.get(f"audit/entries?{query}"), 400, "invalid")


def test_too_few_parameters_are_counted(bot: Caller) -> None:
    body = assert_problem(bot.submit("SELECT $1::int + $2::int", params=[1]), 422, "statement-failed")
    assert "2 parameters" in body["detail"]


# --- Things that are down -----------------------------------------------------------------------------------------


def test_a_database_that_is_down_is_told_and_recorded(bot: Caller, cast: Cast) -> None:
    source = DataSource.objects.get(pk=cast.datasource.pk)
    source.dsn = "host=127.0.0.1 port=1 dbname=x user=x password=secret-of-the-source"
    source.save()
    body = assert_problem(bot.submit("SELECT 1"), 502, "datasource-unavailable")
    assert "secret-of-the-source" not in str(body)
    assert Entry.objects.filter(kind="statement.outcome").count() == 1


def test_p3_a_ledger_that_cannot_write_lets_nothing_run(bot: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise LedgerUnavailable("no")

    monkeypatch.setattr(ledger, "append", refuse)
    body = assert_problem(bot.submit("UPDATE orders SET status = 'x' WHERE id = 1"), 503, "service-unavailable")
    assert body["remedy"]


def test_a_broker_that_is_down_lets_nothing_run(bot: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway import services_check

    monkeypatch.setattr(services_check, "_client", None)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert_problem(bot.submit("DELETE FROM orders"), 503, "service-unavailable")
    assert intents() == 0
    assert not Entry.objects.filter(kind="request.created").exists()


# --- Values -------------------------------------------------------------------------------------------------------


def raw(bot: Caller, params: bytes, sql: str = "SELECT $1::text") -> Any:
    body = b'{"datasource":"shop","sql":"%s","params":[%s]}' % (sql.encode(), params)
    return Client(raise_request_exception=False).post(
        "/api/v1/queries", body, "application/json", headers={"Authorization": f"Bearer {bot.token}"}
    )


@pytest.mark.parametrize("levels", [101, 255, 900, 1020])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_parameter_that_nests_too_deeply_is_told(bot: Caller, levels: int, opening: bytes, closing: bytes) -> None:
    body = assert_problem(raw(bot, opening * levels + b"1" + closing * levels), 400, "invalid")
    assert "nests more than 100 levels" in body["detail"]


def test_a_body_that_nests_without_end_is_told(bot: Caller) -> None:
    assert_problem(raw(bot, b"[" * 100_000), 400, "parse-error")


@pytest.mark.parametrize("number", [b"123456789012345678901234567890", b"-9223372036854775809", b"1e300"])
def test_p4_a_number_that_would_lose_digits_is_told_and_not_rounded(bot: Caller, number: bytes) -> None:
    assert "send it as text" in assert_problem(raw(bot, number), 400, "invalid")["detail"]
    assert intents() == 0


def test_the_largest_whole_numbers_reach_the_database_as_they_are(bot: Caller) -> None:
    rows = raw(bot, b"18446744073709551615, -9223372036854775808", "SELECT $1::numeric, $2::bigint").json()["rows"]
    assert rows == [["18446744073709551615", -9223372036854775808]]


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"1e400", b'"\\ud800"', b"01", b"'x'"])
def test_what_json_does_not_know_is_told(bot: Caller, value: bytes) -> None:
    assert_problem(raw(bot, value), 400, "parse-error")


def test_a_list_of_several_types_is_no_outage(bot: Caller) -> None:
    assert "$1" in assert_problem(raw(bot, b'[1, "a"]'), 422, "statement-failed")["detail"]


def test_a_result_that_nests_too_deeply_for_json_comes_as_text(bot: Caller) -> None:
    deep = "[" * 300 + "]" * 300
    assert bot.submit("SELECT $1::json", params=[deep]).json()["rows"] == [[deep]]


def test_a_fault_is_a_problem_document_that_tells_nothing(bot: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ValueError("secret-of-the-inside")

    monkeypatch.setattr("gateway.api.views.pipeline.submit", fail)
    body = assert_problem(raw(bot, b"1"), 500, "internal")
    assert "secret-of-the-inside" not in str(body)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("PUT", "queries", {}, 405, id="another method"),
        pytest.param("GET", "datasources", {"Accept": "text/html"}, 406, id="a type that is not there"),
        pytest.param("POST", "queries", {"Content-Type": "text/plain"}, 415, id="a body of another type"),
    ],
)
def test_the_title_of_a_problem_is_words(
    bot: Caller, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    headers = {"Authorization": f"Bearer {bot.token}", **headers}
    response = Client().generic(
        method, f"/api/v1/{path}", b"{}", headers.get("Content-Type", "application/json"), headers=headers
    )
    assert response.status_code == status
    assert "{" not in response.json()["title"]


# --- Anything ------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
BODIES = JSON | st.fixed_dictionaries(
    {"datasource": st.just("shop") | JSON, "sql": st.sampled_from(["SELECT $1::text", "SELECT 1"]) | JSON},
    optional=dict.fromkeys(
        ("params", "purpose", "run", "on_behalf_of", "max_rows", "wait", "dry_run", "verdict", "x"), JSON
    ),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.sampled_from(["*/*", "text/csv", ";;", "a/b;q=x", "application/json;q=0"]),
        "Idempotency-Key": st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300),
        "Content-Type": st.sampled_from(
            ["application/json", "application/json;charset=x", "a", "", "multipart/form-data"]
        ),
    },
)
PATHS = st.sampled_from(
    ["queries", "check", "queries/00000000-0000-0000-0000-000000000000/cancel", "requests", "audit/entries"]
)
NAMES = [
    "wait",
    "limit",
    "before",
    "after",
    "since",
    "until",
    "principal",
    "text",
    "query",
    "relation",
    "format",
    "which",
]


def assert_answered(response: Any) -> None:
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert_problem(response, response.status_code, response.json()["code"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, body=BODIES, headers=HEADERS)
def test_no_body_makes_it_fail(bot: Caller, path: str, body: Any, headers: dict[str, str]) -> None:
    given = {"Authorization": f"Bearer {bot.token}", **headers}
    content = json.dumps(body).encode()
    kind = given.get("Content-Type", "application/json")
    client = Client(raise_request_exception=False)
    assert_answered(client.generic("POST", f"/api/v1/{path}", content, kind, headers=given))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["audit/entries", "datasources", "requests", "queries/00000000-0000-0000-0000-000000000000"])
    | st.text(max_size=20).map(lambda text: f"datasources/{quote(text)}/catalogue"),
    asked=st.dictionaries(
        st.sampled_from(NAMES),
        st.text(max_size=12) | st.sampled_from(["nan", "inf", "-1", "1e400", "0", "9" * 30, "2026-01-01", "\x00"]),
        max_size=3,
    ),
)
def test_no_query_string_makes_it_fail(call: Any, cast: Cast, path: str, asked: dict[str, str]) -> None:
    for who in (cast.bot, cast.rita):
        assert_answered(call(who).get(f"{path}?{urlencode(asked)}"))


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_what_is_not_there_is_a_problem_document_whatever_the_method(method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)("/api/v1/requests/none/withdraw")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["grants", "absences", "notifications"])
def test_a_filter_that_there_is_not_is_told(call: Any, cast: Cast, path: str) -> None:
    answer = call(cast.rita).get(f"{path}?wich=mine")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["wich"])


@pytest.mark.parametrize("path", ["grants", "absences"])
def test_a_filter_that_counts_once_is_given_once(call: Any, cast: Cast, path: str) -> None:
    assert call(cast.rita).get(f"{path}?limit=1&limit=9").status_code == 400
