"""POST queries and what follows from it, field by field as the contract says."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pyarrow as pa
import pytest

from approvals import services as approvals
from audit.models import Entry
from gateway import execution
from gateway.models import Query
from tests.api.conftest import Caller
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase


def test_a_read_answers_with_the_whole_result(bot: Caller) -> None:
    response = bot.submit("SELECT id, email FROM customers ORDER BY id LIMIT 2", run={"id": "r1"}, purpose="a look")
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {
        "id", "status", "fingerprint", "decision", "columns", "rows", "row_count", "truncated", "duration_ms", "ledger",
    }  # fmt: skip
    assert body["status"] == "executed"
    assert body["rows"] == [[1, "***@example.com"], [2, "***@example.com"]]
    assert body["columns"] == [
        {"name": "id", "type": "int4", "masked": False},
        {"name": "email", "type": "text", "masked": True},
    ]
    assert set(body["decision"]) >= {"verdict", "risk", "policies", "message", "remedy"}
    assert body["decision"]["policies"]


def test_the_ledger_place_of_a_result_is_that_of_its_outcome(bot: Caller) -> None:
    body = bot.submit("SELECT 1").json()
    entry = Entry.objects.get(index=body["ledger"]["index"])
    assert (entry.kind, entry.fields["query"], entry.leaf.hex()) == (
        "statement.outcome",
        body["id"],
        body["ledger"]["leaf"],
    )


def test_a_dangerous_write_is_parked_with_a_location(bot: Caller) -> None:
    response = bot.submit("DELETE FROM orders")
    body = response.json()
    assert response.status_code == 202
    assert body["status"] == "parked"
    assert body["request"]["required"] == [{"group": "dba", "quorum": 1}]
    assert body["request"]["url"].endswith(f"/requests/{body['request']['id']}/")
    assert response["Location"] == f"/api/v1/queries/{body['id']}"


def test_a_drop_is_forbidden_with_a_remedy(bot: Caller) -> None:
    response = bot.submit("DROP TABLE orders")
    body = response.json()
    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert body["remedy"]
    assert body["decision"]["verdict"] == "deny"
    assert body["ledger"]["index"] >= 0


def test_the_agent_polls_until_the_approved_statement_has_run(bot: Caller, cast: Cast, shop: TargetDatabase) -> None:
    parked = bot.submit("DELETE FROM orders").json()
    approvals.review(parked["request"]["id"], cast.principal(cast.rita), "approve", "")
    assert bot.get(f"queries/{parked['id']}").json()["status"] == "parked"
    execution.execute_request(uuid.UUID(parked["request"]["id"]))
    assert bot.get(f"queries/{parked['id']}?wait=1").json()["status"] == "executed"
    assert bot.get(f"queries/{parked['id']}/result").json()["row_count"] == 60
    assert shop.fetch("SELECT count(*) FROM orders") == [(0,)]


def test_the_database_s_refusal_is_422_with_its_sqlstate(bot: Caller) -> None:
    response = bot.submit("SELECT nonsense FROM orders")
    assert (response.status_code, response.json()["sqlstate"]) == (422, "42703")


def test_max_rows_truncates_and_says_so(bot: Caller) -> None:
    body = bot.submit("SELECT id FROM orders", max_rows=5).json()
    assert (len(body["rows"]), body["row_count"], body["truncated"]) == (5, 5, True)


def test_a_dry_run_decides_and_runs_nothing(bot: Caller) -> None:
    body = bot.submit("DELETE FROM orders", dry_run=True).json()
    assert (body["status"], body["decision"]["verdict"]) == ("dry_run", "review")
    assert not Query.objects.exists()


def test_check_explains_and_runs_nothing(bot: Caller) -> None:
    body = bot.post("check", {"datasource": "shop", "sql": "SELECT email FROM customers"}).json()
    assert body["decision"]["verdict"] == "allow"
    assert body["facts"]["relations"] == [{"schema": "public", "name": "customers", "use": "read"}]
    assert not Query.objects.exists()


@pytest.mark.parametrize(
    ("sql", "params", "value"),
    [
        ("SELECT $1::int + 1", [41], 42),
        ("SELECT total FROM orders WHERE total = $1", [1.5], "1.50"),
        ("SELECT $1::jsonb -> 'a'", [{"a": [1, None]}], [1, None]),
        ("SELECT $1::boolean", [True], True),
        ("SELECT $1::text", [None], None),
        ("SELECT count(*) FROM orders WHERE id = ANY($1)", [[1, 2, 3]], 3),
        ("SELECT 'NaN'::float8", [], "NaN"),
        ("SELECT 12345678901234567890.123456789::numeric", [], "12345678901234567890.123456789"),
        ("SELECT 'infinity'::timestamptz", [], "infinity"),
        ("SELECT ARRAY[1,2]", [], [1, 2]),
        ("SELECT '\\x00ff'::bytea", [], "\\x00ff"),
        ("SELECT row(1, 'x')", [], "(1,x)"),
    ],
)
def test_values_cross_without_loss(bot: Caller, sql: str, params: list[Any], value: Any) -> None:
    assert bot.submit(sql, params=params).json()["rows"][0][0] == value


# --- Idempotency --------------------------------------------------------------------------------------------------


def test_the_same_key_runs_once_and_answers_alike(bot: Caller, shop: TargetDatabase) -> None:
    insert = "INSERT INTO orders VALUES (1000, 1, 5, 'new') RETURNING id"
    first, second = (bot.submit(insert, key="k1") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json()["id"] == second.json()["id"]
    assert second.json()["rows"] == [[1000]]


def test_the_same_key_for_another_statement_is_refused(bot: Caller) -> None:
    bot.submit("SELECT 1", key="k1")
    response = bot.submit("SELECT 2", key="k1")
    assert (response.status_code, response.json()["code"]) == (409, "idempotency-key-reused")


def test_a_parked_statement_asked_for_again_stays_one_request(bot: Caller) -> None:
    first, second = (bot.submit("DELETE FROM orders", key="k1").json() for _ in range(2))
    assert first["request"]["id"] == second["request"]["id"]


# --- Results ------------------------------------------------------------------------------------------------------


def result_as(bot: Caller, accept: str) -> bytes:
    query = bot.submit("SELECT id, email, NULL AS nothing FROM customers ORDER BY id LIMIT 2").json()
    response = bot.get(f"queries/{query['id']}/result", Accept=accept)
    assert response["Content-Type"] == accept
    return asyncio.run(all_of(response.streaming_content))


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def test_a_result_as_csv(bot: Caller) -> None:
    rows = list(csv.reader(io.StringIO(result_as(bot, "text/csv").decode())))
    assert rows == [["id", "email", "nothing"], ["1", "***@example.com", ""], ["2", "***@example.com", ""]]


def test_a_result_as_ndjson(bot: Caller) -> None:
    lines = [orjson.loads(line) for line in result_as(bot, "application/x-ndjson").splitlines()]
    assert lines[1] == {"id": 2, "email": "***@example.com", "nothing": None}


def test_a_result_as_arrow(bot: Caller) -> None:
    table = pa.ipc.open_stream(result_as(bot, "application/vnd.apache.arrow.stream")).read_all()
    assert table.schema.field("id").type == pa.int32()
    assert table.column("email").to_pylist() == ["***@example.com", "***@example.com"]


# --- Who may see what ---------------------------------------------------------------------------------------------


def test_a_query_of_somebody_else_does_not_exist(call: Any, cast: Cast) -> None:
    query = call().submit("SELECT 1").json()
    response = call(cast.mallory).get(f"queries/{query['id']}")
    assert (response.status_code, response.json()["code"]) == (404, "unknown-query")


def test_a_reviewer_sees_the_query_but_not_its_rows(call: Any, cast: Cast) -> None:
    parked = call().submit("DELETE FROM orders").json()
    assert call(cast.rita).get(f"queries/{parked['id']}").status_code == 200
    assert call(cast.rita).get(f"queries/{parked['id']}/result").status_code == 403


def test_an_agent_sees_no_requests(bot: Caller) -> None:
    parked = bot.submit("DELETE FROM orders").json()
    for path in ("requests", f"requests/{parked['request']['id']}"):
        assert bot.get(path).status_code == 403
    response = bot.post(f"requests/{parked['request']['id']}/reviews", {"verdict": "approve", "comment": ""})
    assert response.status_code == 403


def test_p5_over_rest_a_reviewer_approves_and_the_owner_cannot(call: Any, cast: Cast) -> None:
    parked = call().submit("DELETE FROM orders").json()
    path = f"requests/{parked['request']['id']}/reviews"
    owner = call(cast.alice).post(path, {"verdict": "approve", "comment": ""})
    assert (owner.status_code, owner.json()["code"]) == (403, "review-refused")
    assert call(cast.rita).post(path, {"verdict": "approve", "comment": ""}).json()["state"] == "approved"


def test_p5_a_reviewer_cannot_approve_what_she_submitted_herself(call: Any, cast: Cast) -> None:
    parked = call(cast.rita).submit("DELETE FROM orders").json()
    path = f"requests/{parked['request']['id']}/reviews"
    assert call(cast.rita).post(path, {"verdict": "approve", "comment": ""}).status_code == 403


def test_entries_are_filtered_and_paged(bot: Caller) -> None:
    ids = [bot.submit(f"SELECT {n}").json()["id"] for n in range(3)]
    page = bot.get(f"audit/entries?query={ids[1]}").json()
    assert [entry["kind"] for entry in page["results"]] == ["statement.outcome", "statement.intent"]
    first = bot.get("audit/entries?limit=2").json()
    second = bot.get(f"audit/entries?limit=2&before={first['before']}").json()
    assert [e["index"] for e in first["results"] + second["results"]] == list(
        range(first["results"][0]["index"], 0, -1)
    )[:4]


def test_an_agent_sees_only_entries_of_its_own(call: Any, cast: Cast) -> None:
    call(cast.rita).submit("SELECT 1")
    call().submit("SELECT 2")
    principals = {entry["principal"] for entry in call().get("audit/entries").json()["results"]}
    assert principals == {"agent:analyst-bot"}


def test_datasources_and_their_catalogue(bot: Caller) -> None:
    assert [one["name"] for one in bot.get("datasources").json()["results"]] == ["shop"]
    catalogue = bot.get("datasources/shop/catalogue").json()
    customers = next(one for one in catalogue["relations"] if one["name"] == "customers")
    assert {column["name"]: column["class"] for column in customers["columns"]}["email"] == "email"


def test_no_answer_holds_the_data_source_s_secret(bot: Caller, cast: Cast) -> None:
    password = cast.datasource.dsn.split("password=")[1].split()[0]
    for path in ("datasources", "datasources/shop/catalogue", "audit/entries"):
        assert password not in bot.get(path).content.decode()


# --- Cancelling ---------------------------------------------------------------------------------------------------


def test_cancelling_what_waits_withdraws_it(bot: Caller) -> None:
    parked = bot.submit("DELETE FROM orders").json()
    assert bot.post(f"queries/{parked['id']}/cancel", {}).json()["status"] == "withdrawn"


def test_cancelling_what_has_ended_is_refused(bot: Caller) -> None:
    query = bot.submit("SELECT 1").json()
    assert bot.post(f"queries/{query['id']}/cancel", {}).status_code == 409


# --- The document -------------------------------------------------------------------------------------------------


def test_the_openapi_document_lists_every_call(bot: Caller) -> None:
    document = bot.get("schema", Accept="application/vnd.oai.openapi+json").json()
    assert document["openapi"].startswith("3.1")
    assert {path.removeprefix("/api/v1") for path in document["paths"]} >= {
        "/queries", "/queries/{query_id}", "/queries/{query_id}/result", "/queries/{query_id}/cancel", "/check",
        "/datasources", "/datasources/{name}/catalogue", "/requests", "/requests/{request_id}",
        "/requests/{request_id}/reviews", "/audit/entries",
    }  # fmt: skip
