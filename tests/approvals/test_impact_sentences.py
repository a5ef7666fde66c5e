"""What an impact is called in words, and that what is kept of it comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.impact import sentences
from approvals.impact.content import (
    Cell,
    Change,
    Content,
    Failure,
    Fired,
    Lock,
    Sample,
    SampleRow,
    Size,
    Undo,
    from_json,
    to_json,
)

ORDERS = Size("public", "orders", 1_000_000, False, 80_000_000)
FULL = Content(
    tried=True, passing=True, reads_only=True, defines=True, targets=("public.orders",), sizes=(ORDERS,),
    changes=(Change("public", "orders", 1, 2, 3, "foreign-key"),), truncated=("public.t",),
    triggers=(Fired("public.orders", "keeps", "after", ("update", "delete"), True),),
    locks=(Lock("public", "orders", "AccessExclusiveLock", 3, 1),), waiting=2, sequences=("public.s",),
    rewritten=("public.orders",),
    samples=(Sample("public.orders", (SampleRow("update", (Cell("id", "1", None, True, False, True),)),), 7),),
    no_sample="none", failure=Failure("23505", "it is."), undo=Undo(False, "No."),
)  # fmt: skip


def test_what_is_kept_comes_back_as_it_was() -> None:
    assert from_json(to_json(FULL)) == FULL


def test_what_was_kept_before_a_field_was_known_still_comes_back() -> None:
    assert from_json({"tried": True}) == Content(tried=True)


@given(st.integers(0, 10**15))
def test_p4_the_bound_is_never_below_what_was_measured_and_never_a_row_more_than_a_tenth_above(rows: int) -> None:
    bound = sentences.bound_of(rows)
    assert rows <= bound <= rows + rows // 10 + 1
    assert (bound == 0) == (rows == 0)


@pytest.mark.parametrize(
    ("rows", "total", "words"),
    [(15, 60, "25 %"), (60, 60, "all of them"), (1, 60, "1.7 %"), (1, 1_000_000, "under 0.1 %"),
     (999_999, 1_000_000, "99.9 %"), (0, 0, "all of them")],
)  # fmt: skip
def test_a_share_says_all_only_where_it_is_all(rows: int, total: int, words: str) -> None:
    assert sentences.share(rows, total) == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Content(), "Was not tried out; the planner expects about 1,234 rows to change."),
        (Content(reads_only=True), "Only reads, and changes nothing: it reads about 1,234 rows."),
        (Content(tried=True, failure=Failure("23505", "it cannot.")), "Would fail: it cannot."),
        (Content(tried=True, changes=(Change("public", "orders", 0, 10, 0),), sizes=(ORDERS,), targets=("public.orders",)),
         "Changes 10 of about 1,000,000 rows of public.orders (under 0.1 %)."),
        (Content(tried=True, truncated=("public.orders",), sizes=(ORDERS,)),
         "Empties public.orders (about 1,000,000 rows, 76 MB)."),
        (Content(tried=True, defines=True), "Changes definitions, and no rows."),
        (Content(tried=True), "Changes no row as things stand."),
    ],
)  # fmt: skip
def test_every_sort_of_impact_has_its_sentence(content: Content, words: str) -> None:
    assert sentences.sentence(content, 1234) == words


@pytest.mark.parametrize("mode", sentences.LOCK_MODES)
def test_a_lock_mode_is_called_as_postgresql_calls_it(mode: str) -> None:
    assert sentences.mode_in_words(mode).replace(" ", "").lower() == mode.removesuffix("Lock").lower()


def test_an_unknown_lock_counts_as_the_strongest() -> None:
    assert sentences.lock_rank("NewLock") > sentences.lock_rank("AccessExclusiveLock")
