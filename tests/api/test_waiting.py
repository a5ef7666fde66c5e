"""Changing what waits, over REST: edits, times, withdrawal; what a review can carry; and absences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals.models import Absence, Request
from identity.models import User
from tests.api.conftest import Caller
from tests.factories import Cast

DELETE = "DELETE FROM orders"
NARROWER = "DELETE FROM orders WHERE status = 'done'"


def moment(**span: float) -> str:
    return (timezone.now() + timedelta(**span)).isoformat()


@pytest.fixture
def parked(bot: Caller) -> Any:
    body = bot.submit(DELETE).json()
    assert body["status"] == "parked"
    return body


# --- Requests -----------------------------------------------------------------------------------------------------


def test_p4_the_parked_answer_names_groups_and_quorums_and_nothing_else(parked: Any) -> None:
    assert parked["request"]["required"] == [{"group": "dba", "quorum": 1}]


def test_one_request_tells_how_far_it_has_come(call: Any, cast: Cast, parked: Any) -> None:
    progress = call(cast.rita).get(f"requests/{parked['request']['id']}").json()["progress"]
    assert progress == [
        {
            "group": "dba", "quorum": 1, "given": 0, "stage": 1, "open": True, "escalate_to": None, "escalated": False,
        }
    ]  # fmt: skip


def test_the_owner_edits_the_request(call: Any, cast: Cast, parked: Any) -> None:
    response = call(cast.alice).post(f"requests/{parked['request']['id']}/edits", {"sql": NARROWER})
    assert (response.status_code, response.json()["sql"], response.json()["revision"]) == (201, NARROWER, 2)


def test_an_agent_edits_its_query(bot: Caller, parked: Any) -> None:
    response = bot.post(f"queries/{parked['id']}/edits", {"sql": NARROWER})
    assert (response.status_code, response.json()["status"]) == (202, "parked")
    assert (parked["request"]["revision"], response.json()["request"]["revision"]) == (1, 2)
    assert response.headers["Location"] == f"/api/v1/queries/{parked['id']}"


@pytest.mark.parametrize(
    "given", ["2099-01-01T22:00:00", "2099-01-01", "soon", 4070908800, "9999-12-31T23:59:59-14:00"]
)
def test_a_time_says_its_zone_or_is_refused(bot: Caller, parked: Any, given: Any) -> None:
    response = bot.post(f"queries/{parked['id']}/schedule", {"run_at": given})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"].keys() == {"run_at"}
    assert Request.objects.get().run_at is None


def test_an_agent_does_not_address_requests(bot: Caller, parked: Any) -> None:
    assert bot.post(f"requests/{parked['request']['id']}/edits", {"sql": NARROWER}).status_code == 403


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [("DROP TABLE orders", 403, "denied"), ("DELETE FROM", 400, "unreadable"),
     ("DELETE FROM orders WHERE id = 1", 409, "needs-no-review"), (DELETE, 400, "invalid")],
)  # fmt: skip
def test_an_edit_that_is_refused_is_a_problem(bot: Caller, parked: Any, sql: str, status: int, code: str) -> None:
    response = bot.post(f"queries/{parked['id']}/edits", {"sql": sql})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert Request.objects.get().revision == 1


def test_p4_a_review_of_an_earlier_revision_is_a_conflict(call: Any, cast: Cast, bot: Caller, parked: Any) -> None:
    bot.post(f"queries/{parked['id']}/edits", {"sql": NARROWER})
    review = {"verdict": "approve", "revision": 1}
    response = call(cast.rita).post(f"requests/{parked['request']['id']}/reviews", review)
    assert (response.status_code, response.json()["code"]) == (409, "changed-meanwhile")


def test_a_review_carries_a_bound(call: Any, cast: Cast, parked: Any) -> None:
    review = {"verdict": "approve", "row_bound": 3}
    response = call(cast.rita).post(f"requests/{parked['request']['id']}/reviews", review)
    assert (response.status_code, response.json()["row_bound"]) == (201, 3)


@pytest.mark.parametrize("more", [{"row_bound": -1}, {"row_bound": "3"}, {"grant": {"runs": 1}}, {"revision": 0}])
def test_what_a_review_cannot_carry_is_a_problem(call: Any, cast: Cast, parked: Any, more: dict[str, Any]) -> None:
    response = call(cast.rita).post(f"requests/{parked['request']['id']}/reviews", {"verdict": "approve", **more})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("door", ["requests", "queries"])
def test_a_time_is_set_and_lifted(call: Any, cast: Cast, bot: Caller, parked: Any, door: str) -> None:
    caller, name = (bot, parked["id"]) if door == "queries" else (call(cast.rita), parked["request"]["id"])
    status = 202 if door == "queries" else 200
    assert caller.post(f"{door}/{name}/schedule", {"run_at": moment(hours=2)}).status_code == status
    assert Request.objects.get().run_at is not None
    assert bot.get(f"queries/{parked['id']}").json()["request"]["run_at"] is not None
    assert caller.post(f"{door}/{name}/schedule", {"run_at": None}).status_code == status
    assert Request.objects.get().run_at is None


def test_a_time_that_is_over_is_a_problem(bot: Caller, parked: Any) -> None:
    response = bot.post(f"queries/{parked['id']}/schedule", {"run_at": moment(hours=-1)})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_the_owner_withdraws(call: Any, cast: Cast, parked: Any) -> None:
    response = call(cast.alice).post(f"requests/{parked['request']['id']}/withdraw", {})
    assert (response.status_code, response.json()["state"]) == (200, "withdrawn")


@pytest.mark.parametrize("what", ["edits", "schedule", "withdraw"])
def test_a_stranger_is_told_of_no_request(call: Any, cast: Cast, parked: Any, what: str) -> None:
    body = {"edits": {"sql": NARROWER}, "schedule": {"run_at": None}, "withdraw": {}}[what]
    response = call(cast.mallory).post(f"requests/{parked['request']['id']}/{what}", body)
    assert (response.status_code, response.json()["code"]) == (404, "unknown-request")


# --- Absences -----------------------------------------------------------------------------------------------------


def leave(caller: Caller, **more: Any) -> Any:
    return caller.post("absences", {"delegate": "mallory", "ends_at": moment(days=3), **more})


def test_a_person_goes_away_and_comes_back(call: Any, cast: Cast) -> None:
    rita = call(cast.rita)
    body = leave(rita, reason="a course").json()
    assert (body["person"], body["delegate"], body["reason"]) == ("rita", "mallory", "a course")
    assert [one["id"] for one in rita.get("absences?which=open").json()["results"]] == [body["id"]]
    assert rita.post(f"absences/{body['id']}/end", {}).json()["ended_at"] is not None
    assert rita.get("absences?which=open").json()["results"] == []
    again = rita.post(f"absences/{body['id']}/end", {})
    assert (again.status_code, again.json()["code"]) == (409, "already-ended")


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"delegate": "rita"}, 400, "delegate"),
        ({"delegate": "nobody"}, 400, "delegate"),
        ({"person": "dora"}, 403, None),
    ],
)
def test_an_absence_that_is_refused_names_the_field(
    call: Any, cast: Cast, more: dict[str, Any], status: int, field: str | None
) -> None:
    response = leave(call(cast.rita), **more)
    assert (response.status_code, response.json().get("field")) == (status, field)
    assert not Absence.objects.exists()


def test_agents_have_no_absences(bot: Caller) -> None:
    assert (bot.get("absences").status_code, leave(bot).status_code) == (403, 403)


def test_a_stranger_cannot_end_it(call: Any, cast: Cast) -> None:
    body = leave(call(cast.rita)).json()
    response = call(cast.dora).post(f"absences/{body['id']}/end", {})
    assert (response.status_code, response.json()["code"]) == (404, "unknown-absence")
    assert str(User.objects.get(stands_in_for=body["id"])) == "mallory"
