"""What the page of a request says: the sentence, what the buttons do, what is different from an earlier text."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from approvals.quorum import Approval, demands_of, standing_of
from approvals.web import request_words as words
from approvals.web.request_diff import LONGEST_TEXT, difference
from governance.models import DataSource

SHOP = DataSource(name="shop", environment="prod")
DBA, SECURITY = frozenset({"dba"}), frozenset({"security"})


def request(use: str = "delete", normal: str = "DELETE FROM orders", **more: Any) -> Request:
    facts = {"kinds": ["write"], "relations": [{"schema": "public", "name": "orders", "use": use}], "normal": normal}
    return Request(**({"datasource": SHOP, "facts": facts, "requester": "agent:bot"} | more))


@pytest.mark.parametrize(
    ("use", "normal", "said"),
    [
        ("delete", "DELETE FROM orders", "Deletes rows of public.orders"),
        ("update", "UPDATE orders SET total = ?", "Changes rows of public.orders"),
        ("insert", "INSERT INTO orders VALUES (?)", "Adds rows to public.orders"),
        ("truncate", "TRUNCATE orders", "Empties public.orders"),
        ("define", "CREATE UNIQUE INDEX ON orders (id)", "Builds an index on public.orders"),
        ("define", "DROP TABLE orders", "Drops public.orders"),
        ("define", "ALTER TABLE orders ADD note text", "Changes the definition of public.orders"),
        ("read", "SELECT * FROM orders", "Reads public.orders"),
    ],
)
def test_one_sentence_says_what_it_does_before_anything_is_measured(use: str, normal: str, said: str) -> None:
    assert words.sentence_of(request(use, normal), None) == f"{said} on shop (production)."


def test_a_change_by_key_is_one_row_at_most() -> None:
    item = request()
    item.facts["by_key"] = True
    assert words.sentence_of(item, None) == "Deletes at most one row of public.orders on shop (production)."


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"facts": {"kinds": ["privilege"]}}, "Changes who may do what on shop (production)."),
        ({"facts": {}}, "Runs a statement that touches no relation on shop (production)."),
        (
            {"kind": "elevation", "requester": "user:alice", "asked": {"group": "dba", "seconds": 5400}},
            "Makes alice count as a member of dba for 90 min on shop (production).",
        ),
    ],
)
def test_what_is_no_change_of_rows_has_a_sentence_of_its_own(more: dict[str, Any], said: str) -> None:
    assert words.sentence_of(request(**more), None) == said


def standing(*given: Approval) -> Any:
    required = [{"group": "dba", "quorum": 2, "stage": 10}, {"group": "security", "quorum": 1, "stage": 20}]
    return standing_of(demands_of(required), given)


def test_approve_says_which_stage_it_completes_and_who_must_still_agree() -> None:
    one, two = Approval(1, DBA, 10), Approval(2, DBA, 10)
    said = words.approving(request(), standing(one), standing(one, two), "", "")
    assert said == "Stage 1 of 2 is then complete; 1 of security must still agree before it runs."


def test_approve_says_that_others_of_the_same_stage_are_still_needed() -> None:
    said = words.approving(request(), standing(), standing(Approval(1, DBA, 10)), "", "")
    assert said == "It is then still waiting: 1 more of dba and 1 of security must agree before it runs."


def test_the_last_approval_says_that_it_runs_and_how_much_it_may_change() -> None:
    met = standing(Approval(1, DBA, 10), Approval(2, DBA, 10), Approval(3, SECURITY, 20))
    at_most = ", and changes at most 17 rows"
    assert (
        words.approving(request(), met, met, "", at_most) == "It then runs at once, once, and changes at most 17 rows."
    )
    window = "when the window opens: Mon 23 Nov 22:00 UTC"
    assert words.approving(request(), met, met, window, "") == f"It then runs {window}, once."
    assert "the session that asked may run it" in words.approving(request(carrier="caller"), met, met, "", "")


def test_who_sits_where_is_told_for_each_demand() -> None:
    found = standing(Approval(7, DBA, 10), Approval(8, SECURITY, 20))
    assert found.seated == ((7,), (8,))


# --- Differences --------------------------------------------------------------------------------------------------


def test_a_difference_marks_the_word_in_its_line() -> None:
    found = difference("DELETE FROM orders\nWHERE total > 10", "DELETE FROM orders\nWHERE total > 1000")
    assert [(row.mark, row.old, row.new) for row in found.rows] == [
        ("same", 1, 1), ("removed", 2, None), ("added", None, 2),
    ]  # fmt: skip
    assert '<span class="diff-word">10</span>' in found.rows[1].html
    assert '<span class="diff-word">1000</span>' in found.rows[2].html


def test_the_same_text_has_no_difference_and_a_line_end_is_one() -> None:
    assert difference("a\nb", "a\nb").is_same
    assert not difference("a\nb", "a\r\nb").is_same


def test_a_difference_shows_what_would_hide_and_escapes_what_would_act() -> None:
    html = "".join(row.html for row in difference("a", "<img src=x>\u202e").rows)
    assert "<img" not in html
    assert "U+202E" in html


def test_texts_too_long_to_compare_are_said_to_differ() -> None:
    found = difference("a" * (LONGEST_TEXT + 1), "b")
    assert found.too_long
    assert not found.is_same
