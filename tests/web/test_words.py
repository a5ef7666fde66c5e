"""How things are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from approvals.states import State
from gateway.models import QueryState
from gateway.web import words
from gateway.web.icons import PATHS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_every_state_of_requests_and_queries_has_a_look() -> None:
    assert {*map(str, State), *map(str, QueryState)} <= words.STATES.keys()


def test_verdicts_differ_in_shape_and_word_not_only_in_colour() -> None:
    looks = words.VERDICTS.values()
    assert len({PATHS[look.icon].split("<path", 1)[0] or PATHS[look.icon] for look in looks}) == 3
    assert len({look.word for look in looks}) == 3


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (45, "45 s"), (60, "1 min"), (3 * 3600 + 12 * 60, "3 h 12 min"), (90_000, "1 d 1 h"), (3605, "1 h")],
)
def test_durations(seconds: int, said: str) -> None:
    assert words.duration(timedelta(seconds=seconds)) == said


def test_a_time_to_come_is_exact_and_one_gone_by_is_rough() -> None:
    span = timedelta(hours=2, minutes=5)
    assert (words.until(NOW + span, NOW), words.until(NOW - span, NOW)) == ("in 2 h 5 min", "2 h ago")


def test_a_state_that_pages_do_not_know_is_shown_and_not_hidden() -> None:
    assert words.look_of("sleeping", words.STATES).word == "sleeping"
