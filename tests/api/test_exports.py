"""Exports as auditors, administrators and others call them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from audit.exports.making import make
from audit.models import Entry, Export
from governance.policy import store
from tests.api.conftest import Caller
from tests.factories import Cast, make_user

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture(autouse=True)
def exports_folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.EXPORTS_DIR = tmp_path / "exports"


@pytest.fixture
def olaf(call: Any, cast: Cast) -> Caller:
    caller: Caller = call(cast.olaf)
    return caller


def done(caller: Caller, **body: Any) -> dict[str, Any]:
    """Asked for over REST, made here in place of a worker."""
    asked = caller.post("audit/exports", {"format": "ndjson", **body})
    assert asked.status_code == 202, asked.content
    make(uuid.UUID(asked.json()["id"]))
    found: dict[str, Any] = caller.get(f"audit/exports/{asked.json()['id']}").json()
    return found


def body_of(response: Any) -> bytes:
    if not response.streaming:
        return bytes(response.content)
    return asyncio.run(_all_of(response.streaming_content)) if response.is_async else b"".join(response)


async def _all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def file_of(export: dict[str, Any]) -> str:
    return str(export["result"]["url"]).removeprefix("/api/v1/")


def newest(kind: str) -> dict[str, Any]:
    entry = Entry.objects.filter(kind=kind).order_by("-index").first()
    assert entry is not None
    return entry.fields


def test_asking_answers_with_the_export_and_where_it_is(olaf: Caller) -> None:
    asked = olaf.post("audit/exports", {"format": "csv", "filter": {"kind": ["statement.denied"], "risk_min": 10}})
    export = asked.json()
    assert asked.status_code == 202
    assert asked["Location"] == f"/api/v1/audit/exports/{export['id']}"
    assert (export["state"], export["progress"]["rows"], export["result"]) == ("queued", 0, None)
    assert export["filter"] == {"kind": ["statement.denied"], "risk_min": 10}


def test_asking_is_recorded_with_filter_range_and_policies_before_anything_is_made(olaf: Caller) -> None:
    export = olaf.post("audit/exports", {"format": "csv", "filter": {"datasource": "shop"}}).json()
    entry = newest("export.requested")
    assert (entry["export"], entry["principal"], entry["filter"]) == (export["id"], "user:olaf", {"datasource": "shop"})
    assert (entry["first"], entry["end"], entry["policies"]) == (0, entry["index"], ["auditors-export"])
    assert (export["entry"], entry["limit"]) == (entry["index"], 1_000_000)


def test_the_file_is_the_one_whose_digest_is_told(olaf: Caller) -> None:
    export = done(olaf)
    response = olaf.get(file_of(export))
    content = body_of(response)
    assert export["state"] == "done"
    assert (len(content), sha256(content).hexdigest()) == (export["result"]["bytes"], export["result"]["sha256"])
    assert response["ETag"] == f'"{export["result"]["sha256"]}"'
    assert response["Content-Type"] == "application/x-ndjson"
    assert response["Content-Disposition"].startswith('attachment; filename="countersign-ledger-0-to-')


def test_a_download_that_broke_off_goes_on_with_a_range(olaf: Caller) -> None:
    export = done(olaf)
    whole = body_of(olaf.get(file_of(export)))
    rest = olaf.get(file_of(export), Range="bytes=10-", **{"If-Range": f'"{export["result"]["sha256"]}"'})
    assert (rest.status_code, body_of(rest)) == (206, whole[10:])
    assert rest["Content-Range"] == f"bytes 10-{len(whole) - 1}/{len(whole)}"


def test_a_range_of_another_file_gives_the_whole_one(olaf: Caller) -> None:
    export = done(olaf)
    response = olaf.get(file_of(export), Range="bytes=10-", **{"If-Range": '"another"'})
    assert (response.status_code, len(body_of(response))) == (200, export["result"]["bytes"])


@pytest.mark.parametrize(
    ("asked", "status"), [("bytes=-5", 206), ("bytes=2-4", 206), ("bytes=99999999-", 416), ("lines=1-2", 200)]
)
def test_ranges_are_answered_as_the_standard_says(olaf: Caller, asked: str, status: int) -> None:
    export = done(olaf)
    response = olaf.get(file_of(export), Range=asked)
    whole = body_of(olaf.get(file_of(export)))
    expected = {"bytes=-5": whole[-5:], "bytes=2-4": whole[2:5], "bytes=99999999-": b"", "lines=1-2": whole}
    assert (response.status_code, body_of(response)) == (status, expected[asked])


def test_each_download_is_recorded_with_what_was_taken(olaf: Caller) -> None:
    export = done(olaf)
    body_of(olaf.get(file_of(export), Range="bytes=3-7"))
    entry = newest("export.downloaded")
    assert (entry["export"], entry["principal"], entry["start"], entry["bytes"]) == (export["id"], "user:olaf", 3, 5)


def test_head_tells_the_size_and_takes_nothing(olaf: Caller, cast: Cast) -> None:
    export = done(olaf)
    response = Client().head(export["result"]["url"], headers={"Authorization": f"Bearer {cast.token(cast.olaf)}"})
    assert (response.status_code, response["Content-Length"]) == (200, str(export["result"]["bytes"]))
    assert not Entry.objects.filter(kind="export.downloaded").exists()


def test_who_is_not_permitted_is_refused_and_that_is_recorded(call: Any, cast: Cast, bot: Caller) -> None:
    for caller, label in ((call(cast.rita), "user:rita"), (bot, "agent:analyst-bot")):
        refused = caller.post("audit/exports", {"format": "csv"})
        assert (refused.status_code, refused.json()["code"]) == (403, "export-refused")
        assert (newest("export.refused")["principal"], newest("export.refused")["policies"]) == (label, ["no-permit"])
    assert not Export.objects.exists()


def test_an_agent_that_policy_permits_exports_nothing_but_its_own(bot: Caller) -> None:
    permit = '\n@id("bots") permit (principal is Agent, action == Action::"export", resource);'
    store.activate(store.default_text() + permit, "test")
    bot.submit("SELECT 1")
    export = done(bot, filter={"principal": "user:rita"})
    lines = body_of(bot.get(file_of(export))).splitlines()
    assert lines
    assert all(b'"principal":"agent:analyst-bot"' in line for line in lines)


def test_a_right_that_was_taken_away_is_not_used_up(olaf: Caller, cast: Cast) -> None:
    export = done(olaf)
    cast.olaf.groups.clear()
    assert olaf.get(file_of(export)).status_code == 403
    assert newest("export.refused")["export"] == export["id"]


def test_exports_are_their_requesters_alone_and_administrators_see_all(olaf: Caller, call: Any) -> None:
    export = olaf.post("audit/exports", {"format": "csv"}).json()
    other, root = call(make_user("otto", "auditors")), call(make_user("root", is_administrator=True))
    assert other.get(f"audit/exports/{export['id']}").status_code == 404
    assert other.get("audit/exports").json()["results"] == []
    assert [one["id"] for one in root.get("audit/exports").json()["results"]] == [export["id"]]


def test_deleting_cancels_once(olaf: Caller, cast: Cast) -> None:
    export = olaf.post("audit/exports", {"format": "csv"}).json()
    headers = {"Authorization": f"Bearer {cast.token(cast.olaf)}"}
    first = Client().delete(f"/api/v1/audit/exports/{export['id']}", headers=headers)
    second = Client().delete(f"/api/v1/audit/exports/{export['id']}", headers=headers)
    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    assert (second.status_code, second.json()["code"]) == (409, "export-not-ready")
    assert newest("export.finished")["status"] == "cancelled"


def test_there_is_no_file_before_the_end(olaf: Caller) -> None:
    export = olaf.post("audit/exports", {"format": "csv"}).json()
    assert olaf.get(f"audit/exports/{export['id']}/file").status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"format": "xlsx"},
        {"format": "csv", "filter": {"nobody": "x"}},
        {"format": "csv", "filter": {"kind": "no.kind"}},
        {"format": "csv", "filter": {"since": "yesterday"}},
        {"format": "csv", "filter": {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}},
        {"format": "csv", "filter": {"principal": 7}},
        {"format": "csv", "filter": {"risk_min": True}},
        {"format": "csv", "filter": "x"},
        {"format": "csv", "payloads": True},
        {"format": "csv", "report": "approvals"},
        {"format": "pdf"},
        {"format": "pdf", "report": "approvals"},
        {"format": "csv", "more": 1},
    ],
)
def test_what_makes_no_sense_is_told_and_not_recorded(olaf: Caller, body: dict[str, Any]) -> None:
    refused = olaf.post("audit/exports", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert not Entry.objects.filter(kind__startswith="export.").exists()


def test_only_so_many_are_under_way_at_once(olaf: Caller) -> None:
    answers = [olaf.post("audit/exports", {"format": "csv"}).status_code for _ in range(6)]
    assert answers == [202] * 5 + [429]


def test_no_cell_of_a_results_csv_is_a_formula(bot: Caller) -> None:
    query = bot.submit("SELECT '=1+1' AS \"@name\", -5 AS number, '-5' AS text").json()["id"]
    response = bot.get(f"queries/{query}/result", Accept="text/csv")
    assert body_of(response) == b"'@name,number,text\r\n'=1+1,-5,-5\r\n"
