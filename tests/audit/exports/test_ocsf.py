"""Every entry becomes a valid event of OCSF 1.9.0, and nothing of it is lost on the way.

`ocsf_schema.json` is an extract of the published schema; what an event must be is read from it, not from the mapping.
"""

from __future__ import annotations

import json
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.events import COMMON, KINDS, VERDICTS
from audit.exports.ocsf import to_ocsf
from audit.verbs import verb_of

LOG = "example.com/ledger"
TIME = "2026-03-01T12:00:00.250000Z"
# All others are text.
SCALARS = {"integer_t": int, "long_t": int, "timestamp_t": int, "boolean_t": bool, "port_t": int}
SIBLINGS = {
    "activity_id": "activity_name", "class_uid": "class_name", "category_uid": "category_name", "type_uid": "type_name",
}  # fmt: skip


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "ocsf_schema.json").read_text())
    return found


def event_of(kind: str, **fields: Any) -> dict[str, Any]:
    return to_ocsf({"v": 1, "index": 7, "time": TIME, "kind": kind, **fields}, log=LOG)


# --- What the schema asks of an event -------------------------------------------------------------------------------


def faults(event: dict[str, Any]) -> list[str]:
    described = schema()["classes"][str(event["class_uid"])]
    attributes = dict(described["attributes"])
    for profile in event["metadata"].get("profiles", ()):
        attributes |= schema()["profiles"][profile]
    wrong = _faults(event, {**described, "attributes": attributes}, "event")
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        wrong.append("type_uid")
    if event["type_name"] != f"{event['class_name']}: {event['activity_name']}":
        wrong.append("type_name")
    if event["class_name"] != described["name"]:
        wrong.append("class_name")
    if event["category_name"] != schema()["categories"][str(event["category_uid"])]:
        wrong.append("category_name")
    return wrong


def _faults(value: dict[str, Any], described: dict[str, Any], place: str) -> list[str]:
    attributes = described["attributes"]
    wrong = [f"{place}: no attribute {name}" for name in value.keys() - attributes.keys()]
    wrong += [
        f"{place}: {name} is missing"
        for name, one in attributes.items()
        if one["requirement"] == "required" and name not in value
    ]
    if (least := described.get("at_least_one")) and not value.keys() & set(least):
        wrong.append(f"{place}: none of {least}")
    for name in value.keys() & attributes.keys():
        wrong += _wrong_value(value, name, attributes[name], f"{place}.{name}")
    return wrong


def _wrong_value(value: dict[str, Any], name: str, described: dict[str, Any], place: str) -> list[str]:
    given = value[name]
    if described.get("is_array"):
        if not isinstance(given, list):
            return [f"{place}: not a list"]
        return [fault for item in given for fault in _wrong_item(item, described["type"], place)]
    wrong = _wrong_item(given, described["type"], place)
    if enum := described.get("enum"):
        if str(given) not in enum and name not in ("class_uid", "category_uid", "type_uid"):
            wrong.append(f"{place}: {given} is none of {sorted(enum)}")
        sibling = SIBLINGS.get(name, name.removesuffix("_id"))
        if given != 99 and name.endswith("_id") and value.get(sibling) != enum.get(str(given)):
            wrong.append(f"{place}: {given} is not called {value.get(sibling)!r}")
    return wrong


def _wrong_item(item: Any, kind: str, place: str) -> list[str]:
    if kind.endswith("_t") and kind != "json_t":
        right = (
            isinstance(item, SCALARS.get(kind, str)) and isinstance(item, bool) is (kind == "boolean_t") and item != ""
        )
        return [] if right else [f"{place}: {item!r} is no {kind}"]
    if kind in ("json_t", "object"):
        return []
    return _faults(item, schema()["objects"][kind], place)


# --- All kinds, with random fields ----------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
LABELS = st.sampled_from(["user:rita", "agent:ops-bot", "agent:", "gateway", "command line"]) | TEXT
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "principal": LABELS,
    "actor": LABELS,
    "verdict": st.sampled_from(VERDICTS),
    "risk": st.integers(0, 100),
    "query": st.uuids().map(str),
    "request": st.uuids().map(str),
    "status": st.sampled_from(["executed", "failed", "unknown", "not_executed", "done", "odd"]),
    "count": st.integers(1, 1000),
    "since": st.just("2026-03-01T11:59:00.000000Z"),
    "address": st.sampled_from(["192.0.2.7", "2001:db8::1", "nowhere"]),
    "changes": st.lists(TEXT, max_size=3) | st.just(["password"]) | st.just(["active"]),
    "is_active": st.booleans(),
    "sql_normal": st.sampled_from(["SELECT ?", "UPDATE t SET a = ?", "DROP TABLE t", "", "odd"]),
    "kinds": st.lists(st.sampled_from(["read", "write", "ddl", "privilege", "session"]), max_size=3),
    "verb": st.sampled_from(["SELECT", "INSERT", "DDL", "OTHER", "ODD"]),
    "bytes": st.integers(0, 10**9),
    "policy_version": st.integers(1, 99),
    **dict.fromkeys(("relations", "classes", "policies"), st.lists(TEXT, max_size=3)),
}
ANY = TEXT | st.integers(0, 2**53 - 1) | st.booleans() | st.lists(TEXT, max_size=2) | st.just({"a": 1})


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    names = draw(st.sets(st.sampled_from(sorted({*KINDS[kind].checks, *KINDS[kind].required}))))
    text_only = {name for name in COMMON if name not in KNOWN}
    fields = {name: draw(KNOWN.get(name, TEXT if name in text_only else ANY)) for name in names | KINDS[kind].required}
    return {"v": 1, "index": draw(st.integers(0, 2**53 - 1)), "time": TIME, "kind": kind, **fields}


@settings(max_examples=400)
@given(entries())
def test_every_entry_is_a_valid_event(entry: dict[str, Any]):
    assert faults(to_ocsf(entry, log=LOG)) == []


@settings(max_examples=400)
@given(entries())
def test_nothing_of_an_entry_is_dropped(entry: dict[str, Any]):
    event = to_ocsf(entry, log=LOG)
    told = list(_leaves(event))
    assert event["metadata"]["uid"] == f"{LOG}#{entry['index']}"
    for name, value in entry.items():
        if name in ("v", "index", "time", "kind") or value in ("", [], {}):
            continue
        if name == "verdict":
            assert event["action_id"] in (1, 2, 4) or value in told
        elif name == "verb":
            assert event["activity_id"] != 0
        elif name == "since" and "start_time" in event:
            continue
        else:
            missing = [one for one in _leaves(value) if one not in told and not _contains(told, one)]
            assert missing == [], f"{name} is lost"


def _leaves(value: Any) -> Any:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _contains(told: list[Any], one: Any) -> bool:
    return any(isinstance(text, str) and str(one) in text for text in told)


@pytest.mark.parametrize("kind", [*sorted(KINDS), "some.later_kind", ""])
def test_an_entry_that_says_nothing_else_is_an_event_too(kind: str):
    assert faults(event_of(kind)) == []


def test_an_entry_whose_time_cannot_be_read_is_an_event_too():
    assert faults(to_ocsf({"index": 1, "time": "never", "kind": "signin.failed"}, log=LOG)) == []


# --- Particulars ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "kinds", "activity"),
    [
        ("SELECT a FROM t", ["read"], (4, "Query")),
        ("SELECT a FROM t FOR UPDATE", ["read", "write"], (5, "Write")),
        ("WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", ["read", "write"], (7, "Delete")),
        ("INSERT INTO t VALUES (?) ON CONFLICT (a) DO UPDATE SET b = ?", ["write"], (6, "Create")),
        ("UPDATE t SET a = ?", ["read", "write"], (2, "Update")),
        ("DELETE FROM t", ["write"], (7, "Delete")),
        ('SELECT "delete" FROM "update"', ["read"], (4, "Query")),
        ("CREATE TABLE t AS SELECT ?", ["ddl", "read"], (99, "DDL")),
        ("GRANT SELECT ON t TO u", ["privilege"], (99, "DDL")),
        ("SET a = ?", ["session"], (99, "Other")),
    ],
)
def test_a_statement_is_activity_of_a_datastore(sql: str, kinds: list[str], activity: tuple[int, str]):
    for told in ({"sql_normal": sql, "kinds": kinds}, {"kinds": kinds, "verb": verb_of(kinds, sql)}):
        event = event_of("statement.outcome", principal="agent:a", datasource="shop", status="executed", **told)
        assert (event["class_uid"], event["activity_id"], event["activity_name"]) == (6005, *activity)


def test_a_statement_of_an_agent_tells_database_table_text_agent_and_decision():
    query = str(uuid.uuid4())
    event = event_of(
        "statement.intent", principal="agent:ops-bot", owner="ada", datasource="shop", relations=["public.orders"],
        sql_normal="SELECT ?", kinds=["read"], run="run-7", model="m-1", verdict="allow", risk=45, door="mcp",
        policies=["read", "office-hours"], policy_version=3, query=query, on_behalf_of="kim", purpose="report",
    )  # fmt: skip
    assert faults(event) == []
    assert event["database"]["name"] == "shop"
    assert event["table"]["name"] == "public.orders"
    assert event["query_info"]["query_string"] == "SELECT ?"
    assert event["ai_agent"]["ai_model"]["name"] == "m-1"
    assert event["ai_agent"]["instance_uid"] == "run-7"
    assert (event["action_id"], event["disposition_id"], event["risk_score"]) == (1, 1, 45)
    assert event["policy"] == {"name": "read", "uid": "read", "version": "3", "is_applied": True}
    assert [one["policy"]["name"] for one in event["authorizations"]] == ["read", "office-hours"]
    assert (event["severity_id"], event["severity"]) == (3, "Medium")
    assert event["metadata"]["correlation_uid"] == query
    assert event["metadata"]["profiles"] == ["security_control", "ai_operation"]
    assert event["time"] == 1772366400250
    assert event["unmapped"] == {"owner": "ada", "kinds": ["read"], "on_behalf_of": "kim", "purpose": "report"}


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("statement.denied", {"verdict": "deny"}, ("Denied", "Blocked", "Failure")),
        ("statement.parked", {"verdict": "review"}, ("Modified", "Delayed", "parked")),
        ("request.approved", {}, ("Allowed", "Approved", "Success")),
        ("request.rejected", {}, ("Denied", "Rejected", "Failure")),
    ],
)
def test_decisions_of_policies_and_people_are_told(kind: str, fields: dict[str, Any], told: tuple[str, ...]):
    event = event_of(kind, principal="user:rita", **fields)
    assert (event["action"], event["disposition"], event["status"]) == told


@pytest.mark.parametrize(
    ("kind", "activity", "status"),
    [
        ("signin.succeeded", "Logon", "Success"),
        ("signin.failed", "Logon", "Failure"),
        ("signin.ended", "Logoff", "Success"),
        ("credential.refused", "Logon", "Failure"),
    ],
)
def test_signing_in_and_out_is_authentication(kind: str, activity: str, status: str):
    event = event_of(kind, address="192.0.2.7")
    assert (event["class_uid"], event["activity_name"], event["status"]) == (3002, activity, status)
    assert event["src_endpoint"]["ip"] == "192.0.2.7"


def test_refusals_that_were_counted_are_one_event_over_their_time():
    event = event_of("credential.refused", reason="revoked", count=41, since="2026-03-01T11:59:00.250000Z")
    assert (event["count"], event["duration"], event["status_detail"]) == (41, 60_000, "revoked")


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("user.added", {"user": "rita"}, (3007, "Create")),
        ("user.changed", {"user": "rita", "changes": ["password"]}, (3007, "Password Change")),
        ("user.changed", {"user": "rita", "changes": ["active"], "is_active": False}, (3007, "Disable")),
        ("agent.added", {"agent": "ops-bot"}, (3004, "Create")),
        ("credential.revoked", {"credential": "c"}, (3004, "Deactivate")),
        ("policy.activated", {"version": 3}, (3004, "Activate")),
        ("classification.changed", {"column": "t.c", "datasource": "shop"}, (3004, "Update")),
        ("export.requested", {"export": "e"}, (6003, "Export asked for")),
        ("payload.read", {"entry": 3}, (6003, "Read")),
    ],
)
def test_administration_is_told_by_what_is_managed(kind: str, fields: dict[str, Any], told: tuple[int, str]):
    event = event_of(kind, actor="user:root", **fields)
    assert (event["class_uid"], event["activity_name"]) == told
    assert event["actor"]["user"]["name"] == "root"
