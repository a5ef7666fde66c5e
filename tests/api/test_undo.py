"""Taking a change back, over REST."""

from __future__ import annotations

from typing import Any

from approvals.models import Request
from gateway import execution
from tests.factories import Cast

MASS_DELETE = "DELETE FROM cards WHERE id > 5"


def changed(call: Any, cast: Cast, sql: str = MASS_DELETE) -> str:
    parked = call().submit(sql).json()["request"]["id"]
    assert call(cast.rita).post(f"requests/{parked}/reviews", {"verdict": "approve", "comment": ""}).status_code == 201
    execution.execute_request(Request.objects.get(pk=parked).pk)
    return str(parked)


def test_a_person_asks_for_an_undo_and_gets_the_new_request(call: Any, cast: Cast) -> None:
    request = changed(call, cast)
    response = call(cast.alice).post(f"requests/{request}/revert", {"reason": "wrong cards"})
    body = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"/api/v1/requests/{body['id']}"
    assert (body["reverts"], body["state"]) == (request, "pending")
    assert "wrong cards" in body["purpose"]


def test_p2_the_answer_holds_none_of_the_values_that_are_put_back(call: Any, cast: Cast) -> None:
    request = changed(call, cast)
    asked = call(cast.alice).post(f"requests/{request}/revert", {}).json()["id"]
    assert "411111111111" in str(Request.objects.get(pk=asked).params)
    for who in (cast.alice, cast.rita, cast.olaf):
        body = call(who).get(f"requests/{asked}").json()
        assert body["params"] == []
        assert "411111111111" not in str(body)


def test_agents_cannot_ask_for_an_undo(call: Any, cast: Cast) -> None:
    request = changed(call, cast)
    assert call().post(f"requests/{request}/revert", {}).status_code == 403
    assert call(cast.mallory).post(f"requests/{request}/revert", {}).status_code == 404


def test_what_did_not_run_cannot_be_taken_back(call: Any, cast: Cast) -> None:
    request = call().submit(MASS_DELETE).json()["request"]["id"]
    response = call(cast.alice).post(f"requests/{request}/revert", {})
    assert (response.status_code, response.json()["code"]) == (409, "no-undo")


def test_a_wrong_field_is_refused(call: Any, cast: Cast) -> None:
    request = changed(call, cast)
    response = call(cast.alice).post(f"requests/{request}/revert", {"only_unchanged": "perhaps"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
