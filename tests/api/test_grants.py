"""Standing permissions over REST: agents see and ask, people give, cut down and end."""

from __future__ import annotations

from typing import Any

import pytest

from approvals import services
from approvals.grants import holding
from approvals.models import Grant, Request
from tests.api.conftest import Caller
from tests.factories import Cast

REASON = "the nightly clean-up failed and orders are stuck"
DELETE = "DELETE FROM orders WHERE status = 'nowhere'"
ELEVATION = {"datasource": "shop", "group": "dba", "minutes": 30, "reason": REASON}


@pytest.fixture(autouse=True)
def _nobody_is_remembered(control_db: str, nobody_works: None) -> None:
    holding.forget()


@pytest.fixture
def given(call: Any, bot: Caller, cast: Cast) -> str:
    """A statement's grant for the bot, as rita gives it over REST."""
    request = bot.submit(DELETE).json()["request"]["id"]
    review = {"verdict": "approve", "comment": "often", "grant": {"runs": 3, "seconds": 3600}, "row_bound": 5}
    assert call(cast.rita).post(f"requests/{request}/reviews", review).status_code == 201
    return str(Grant.objects.get().pk)


def test_an_agent_sees_its_own_and_its_uses(bot: Caller, given: str) -> None:
    ran = bot.submit(DELETE).json()
    assert ran["status"] == "executed"
    listed = bot.get("grants").json()["results"]
    assert [(one["id"], one["uses"], one["max_uses"], one["status"]) for one in listed] == [(given, 1, 3, "standing")]
    one = bot.get(f"grants/{given}").json()
    assert [use["query"] for use in one["used"]] == [ran["id"]]
    assert (one["row_bound"], one["given_by"], one["principal"]) == (5, ["rita"], "agent:analyst-bot")


def test_strangers_find_nothing(call: Any, cast: Cast, given: str) -> None:
    mallory = call(cast.mallory)
    assert mallory.get("grants").json()["results"] == []
    for answer in (mallory.get(f"grants/{given}"), mallory.post(f"grants/{given}/revoke", {})):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-grant")


def test_the_list_is_filtered(call: Any, cast: Cast, given: str) -> None:
    rita = call(cast.rita)

    def found(query: str) -> int:
        return len(rita.get(f"grants?{query}").json()["results"])

    assert [found(one) for one in ("which=standing", "kind=statement", "datasource=shop", "principal=analyst-bot")] == [
        1
    ] * 4
    assert [found(one) for one in ("which=ended", "which=mine", "kind=elevation", "datasource=x", "principal=bot")] == [
        0
    ] * 5
    assert rita.get("grants?which=some").status_code == 400


def test_it_is_cut_down_and_revoked(call: Any, cast: Cast, bot: Caller, given: str) -> None:
    rita = call(cast.rita)
    assert rita.post(f"grants/{given}/narrow", {"max_uses": 2}).json()["max_uses"] == 2
    wider = rita.post(f"grants/{given}/narrow", {"max_uses": 3})
    assert (wider.status_code, wider.json()["code"]) == (422, "grant-invalid")
    revoked = rita.post(f"grants/{given}/revoke", {"comment": "enough"}).json()
    assert (revoked["status"], revoked["revoked_by"]) == ("revoked", "user:rita")
    assert rita.post(f"grants/{given}/revoke", {}).status_code == 409
    assert bot.submit(DELETE).status_code == 202


def test_an_agent_cuts_nothing_down_and_gives_its_own_up(bot: Caller, given: str) -> None:
    refused = bot.post(f"grants/{given}/narrow", {"max_uses": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "grant-refused")
    assert bot.post(f"grants/{given}/revoke", {}).json()["revoked_by"] == "agent:analyst-bot"


def test_an_agent_asks_to_be_elevated_and_waits_for_people(call: Any, bot: Caller, cast: Cast) -> None:
    answer = bot.post("elevations", ELEVATION)
    assert (answer.status_code, answer.json()["status"], answer.json()["grant"]) == (202, "parked", None)
    waiting = answer.json()["request"]
    assert waiting["required"] == [{"group": "dba", "quorum": 1}]
    seen = call(cast.rita).get(f"requests/{waiting['id']}").json()
    assert (seen["state"], seen["sql"], seen["purpose"]) == ("pending", "", REASON)
    services.review(Request.objects.get().pk, cast.principal(cast.rita), "approve", "")
    assert bot.get("grants?kind=elevation").json()["results"][0]["group"] == "dba"
    became = bot.get(f"elevations/{waiting['id']}").json()
    assert (answer["Location"], became["status"]) == (f"/api/v1/elevations/{waiting['id']}", "given")
    assert became["grant"]["group"] == "dba"


def test_an_agent_reads_why_its_elevation_was_rejected(call: Any, bot: Caller, cast: Cast) -> None:
    place = bot.post("elevations", ELEVATION)["Location"].removeprefix("/api/v1/")
    assert bot.get(place).json()["status"] == "parked"
    services.review(Request.objects.get().pk, cast.principal(cast.rita), "reject", "Ask in the morning.")
    assert (bot.get(place).json()["status"], bot.get(place).json()["comment"]) == ("rejected", "Ask in the morning.")


def test_an_elevation_of_others_and_what_is_none_is_not_found(call: Any, bot: Caller, cast: Cast) -> None:
    place = bot.post("elevations", ELEVATION)["Location"].removeprefix("/api/v1/")
    statement = bot.submit(DELETE).json()["request"]["id"]
    for answer in (call(cast.mallory).get(place), bot.get(f"elevations/{statement}")):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-request")


@pytest.mark.parametrize(
    "change", [{"minutes": 0}, {"minutes": "30"}, {"reason": 5}, {"group": None}, {"more": 1}, {"minutes": 10**6}]
)
def test_what_is_not_well_formed_is_told(bot: Caller, change: dict[str, Any]) -> None:
    assert bot.post("elevations", ELEVATION | change).status_code == 400


def test_a_person_breaks_the_glass_and_ends_it(call: Any, cast: Cast) -> None:
    rita = call(cast.rita)
    broken = rita.post("break-glass", {"datasource": "shop", "reason": REASON, "runs": 2})
    assert (broken.status_code, broken.json()["kind"], broken.json()["max_uses"]) == (201, "break_glass", 2)
    assert rita.submit(DELETE).json()["status"] == "executed"
    ended = rita.post(f"grants/{broken.json()['id']}/revoke", {})
    assert [use["statement"] for use in ended.json()["used"]] == ["DELETE FROM orders WHERE status = ?"]
    afterwards = call(cast.dora).get("requests?which=mine").json()["results"]
    assert [one["purpose"] for one in afterwards] == [REASON]


def test_no_agent_breaks_the_glass(bot: Caller) -> None:
    answer = bot.post("break-glass", {"datasource": "shop", "reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (403, "grant-refused")
