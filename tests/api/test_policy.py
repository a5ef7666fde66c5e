"""Policies over REST: for administrators, and reviews of proposals for people."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from governance.models import PolicyProposal, PolicySet
from governance.policy import store
from identity.models import User
from tests.factories import Cast, make_user
from tests.governance.asking import READS

UNMASKED = READS + '\n@id("shows") permit (principal is Agent, action == Action::"unmask", resource);\n'
REVIEWED = READS + '\n@id("four-eyes") @review("dba") forbid (principal, action == Action::"activate", resource);\n'


@pytest.fixture
def root(cast: Cast) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def api(call: Any, root: User) -> Any:
    return call(root)


CALLS = [
    ("get", "policy", None),
    ("get", "policy/versions", None),
    ("get", "policy/versions/1", None),
    ("get", "policy/versions/1/changes", None),
    ("post", "policy/check", {"text": READS}),
    ("post", "policy/explain", {"datasource": "shop", "sql": "SELECT 1", "as": "agent:analyst-bot"}),
    ("post", "policy/replay", {"text": READS}),
    ("post", "policy/apply", {"text": READS}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[path for _, path, _ in CALLS])
def test_only_administrators_may(call: Any, cast: Cast, method: str, path: str, body: Any) -> None:
    for who in (cast.bot, cast.rita, cast.olaf):
        caller = call(who)
        answer = caller.get(path) if method == "get" else caller.post(path, body)
        assert answer.status_code == 403, answer.content
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert PolicySet.objects.count() == 1


def test_the_active_set_is_shown_with_its_policies(api: Any) -> None:
    found = api.get("policy").json()
    assert (found["version"], found["active"]) == (1, True)
    assert found["text"] == store.default_text()
    review = next(policy for policy in found["policies"] if policy["id"] == "mass-write")
    assert review["effect"] == "review"
    assert review["message"]


def test_versions_are_listed_and_compared(api: Any) -> None:
    api.post("policy/apply", {"text": READS, "comment": "only reads"})
    listed = api.get("policy/versions?limit=1").json()
    assert [(one["version"], one["comment"]) for one in listed["results"]] == [(2, "only reads")]
    assert listed["next_offset"] == 1
    found = api.get("policy/versions/2/changes").json()
    assert {"policy": "reads", "what": "added"}.items() <= found["changes"][-1].items()
    assert "-permit (principal" in found["diff"]
    assert api.get("policy/versions/1").json()["active"] is False


def test_a_version_that_there_is_not_is_a_problem(api: Any) -> None:
    answer = api.get("policy/versions/9")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-version")


def test_check_tells_problems_with_their_lines(api: Any) -> None:
    found = api.post("policy/check", {"text": f"{READS}\npermit (principal, action, resource);"}).json()
    assert found["sound"] is False
    assert found["problems"] == [
        {
            "line": 2,
            "policy": "",
            "reason": '@id is missing: each policy needs one, such as @id("reads")',
            "severity": "error",
        }
    ]


def test_check_warns_without_refusing(api: Any) -> None:
    text = READS + '@id("gone") permit (principal in Group::"nobody-here", action == Action::"write", resource);'
    found = api.post("policy/check", {"text": text}).json()
    assert found["sound"] is True
    assert [warning["policy"] for warning in found["warnings"]] == ["gone"]


def test_explain_tells_what_the_active_set_says(api: Any, cast: Cast) -> None:
    body = {"datasource": "shop", "sql": "SELECT email FROM customers", "as": "agent:analyst-bot"}
    found = api.post("policy/explain", body).json()
    assert found["decision"]["verdict"] == "allow"
    assert [policy["id"] for policy in found["deciding"]] == ["read"]
    assert found["rewritten"] is True
    assert found["statements"][0] != body["sql"]


def test_explain_takes_another_set(api: Any, cast: Cast) -> None:
    body = {"datasource": "shop", "sql": "SELECT email FROM customers", "as": "agent:analyst-bot", "text": UNMASKED}
    assert api.post("policy/explain", body).json()["statements"] == [body["sql"]]
    assert api.post("policy/explain", {**body, "sql": "DELETE FROM orders"}).json()["decision"]["verdict"] == "deny"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"as": "agent:nobody"}, 404, "unknown-principal"),
        ({"datasource": "nowhere"}, 404, "unknown-datasource"),
        ({"sql": "SELEC"}, 400, "unreadable"),
        ({"text": "permit ("}, 400, "unsound-policy"),
        ({"door": "window"}, 400, "invalid"),
        ({"who": "me"}, 400, "invalid"),
        ({"as": 7}, 400, "invalid"),
    ],
)
def test_what_cannot_be_explained_is_a_problem(api: Any, change: Any, status: int, code: str) -> None:
    body = {"datasource": "shop", "sql": "SELECT 1", "as": "agent:analyst-bot"}
    answer = api.post("policy/explain", {**body, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_replay_tells_what_would_change(api: Any, call: Any, cast: Cast) -> None:
    bot = call()
    for number in range(3):
        assert bot.submit(f"SELECT city FROM customers WHERE id = {number}").status_code == 200
    assert bot.submit("DELETE FROM orders").status_code == 202
    closed = (
        '@id("no") forbid (principal is Agent, action == Action::"read", resource == Table::"shop.public.customers");'
    )
    found = api.post("policy/replay", {"text": READS + closed}).json()
    assert (found["replayed"], found["changed"]) == (4, 4)
    assert {"before": "allow", "after": "deny", "count": 3} in found["verdicts"]
    assert {"before": "review", "after": "deny", "count": 1} in found["verdicts"]
    most = found["changes"][0]
    assert (most["count"], most["principals"]) == (3, ["agent:analyst-bot"])
    assert most["normal"] == "SELECT city FROM customers WHERE id = ?"


def test_replay_is_bounded(api: Any) -> None:
    assert api.post("policy/replay", {"text": READS, "limit": 501}).status_code == 400
    assert api.post("policy/replay", {"text": READS, "since": "yesterday"}).status_code == 400


def test_apply_puts_a_set_into_force(api: Any) -> None:
    answer = api.post("policy/apply", {"text": READS, "comment": "only reads"})
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["author"]) == (2, "user:root")
    assert store.active().text == READS


def test_an_unsound_set_is_a_problem_with_lines_and_changes_nothing(api: Any) -> None:
    answer = api.post("policy/apply", {"text": "\npermit (principal, action, resource);"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unsound-policy")
    assert answer.json()["problems"][0]["line"] == 2
    assert store.active().version == 1


def test_a_set_that_needs_a_review_is_proposed_and_reviewed(api: Any, call: Any, cast: Cast) -> None:
    assert api.post("policy/apply", {"text": REVIEWED}).status_code == 200
    answer = api.post("policy/apply", {"text": READS, "comment": "back"})
    assert answer.status_code == 202
    address = answer.headers["Location"].removeprefix("/api/v1/")
    assert [one["id"] for one in call(cast.rita).get("policy/proposals?which=open").json()["results"]] == [
        answer.json()["id"]
    ]
    assert api.post(f"{address}/reviews", {"verdict": "approve"}).json()["code"] == "review-refused"
    reviewed = call(cast.rita).post(f"{address}/reviews", {"verdict": "approve"})
    assert (reviewed.status_code, reviewed.json()["state"], reviewed.json()["version"]) == (201, "activated", 3)
    assert store.active().text == READS


def test_proposals_are_not_for_strangers_or_agents(api: Any, call: Any, cast: Cast) -> None:
    api.post("policy/apply", {"text": REVIEWED})
    address = api.post("policy/apply", {"text": READS}).headers["Location"].removeprefix("/api/v1/")
    assert call(cast.mallory).get("policy/proposals").json()["results"] == []
    assert call(cast.mallory).get(address).status_code == 404
    assert call(cast.mallory).post(f"{address}/reviews", {"verdict": "approve"}).status_code == 404
    assert call(cast.bot).get(address).status_code == 403
    assert PolicyProposal.objects.get().state == "pending"


def test_the_openapi_document_lists_the_calls(cast: Cast) -> None:
    document = Client().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    assert {f"/api/v1/policy{path}" for path in ("", "/check", "/explain", "/replay", "/apply", "/versions")} <= set(
        document["paths"]
    )
    body = document["paths"]["/api/v1/policy/explain"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    named = document["components"]["schemas"][body["$ref"].rsplit("/", 1)[-1]]
    assert "as" in named["properties"]
