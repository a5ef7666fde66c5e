"""The scripted agents ask at a bounded rate and leave a bounded number of requests open."""

import random
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from config.demo import agent
from config.demo.agent import MOST_OPEN, Ask, OpenRequests, Workflow

PARKING = Workflow("ops-bot", "clean up", (Ask("DELETE FROM orders", parks=True),))


class Desk:
    """A gateway that parks everything and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.decided: set[str] = set()

    def submit(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        return {"status": "parked", "id": f"query-{len(self.asked)}"}

    def status(self, name: str, query: str) -> str:
        return "executed" if query in self.decided else "parked"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(agent, "QUIET_SECONDS", (0.0, 0.0))
    return Desk()


def ask_often(desk: Desk, waiting: OpenRequests, times: int) -> None:
    for _ in range(times):
        agent.carry_out(PARKING, desk, waiting, random.Random(1))  # type: ignore[arg-type]


def test_it_stops_asking_for_reviews_while_enough_are_open(desk: Desk, tmp_path: Path) -> None:
    ask_often(desk, OpenRequests(tmp_path / "open"), MOST_OPEN + 4)
    assert len(desk.asked) == MOST_OPEN


def test_a_decided_request_makes_room_for_another(desk: Desk, tmp_path: Path) -> None:
    waiting = OpenRequests(tmp_path / "open")
    ask_often(desk, waiting, MOST_OPEN)
    desk.decided.add("query-1")
    ask_often(desk, waiting, 3)
    assert len(desk.asked) == MOST_OPEN + 1


def test_a_restart_remembers_what_is_open(desk: Desk, tmp_path: Path) -> None:
    ask_often(desk, OpenRequests(tmp_path / "open"), MOST_OPEN)
    ask_often(desk, OpenRequests(tmp_path / "open"), 2)
    assert len(desk.asked) == MOST_OPEN


def test_statements_of_one_workflow_share_a_run_and_tell_their_purpose(desk: Desk, tmp_path: Path) -> None:
    agent.carry_out(agent.ship_orders(random.Random(1)), desk, OpenRequests(tmp_path / "open"), random.Random(1))  # type: ignore[arg-type]
    assert len({body["run"]["id"] for body in desk.asked}) == 1
    assert {body["purpose"] for body in desk.asked} == {"mark parcels as shipped"}


def test_the_mixture_holds_reads_writes_reviews_and_mistakes() -> None:
    purposes = {workflow.purpose for workflow in islice(agent.workflows(random.Random(1)), 200)}
    assert {"weekly sales report", "mark parcels as shipped", "monthly clean-up", "try something"} <= purposes


def test_a_gateway_that_is_away_is_a_reason_to_wait() -> None:
    gateway = agent.Gateway("http://127.0.0.1:1", {"ops-bot": "token"})
    with pytest.raises(agent.GatewayRefused):
        gateway.submit("ops-bot", {})
