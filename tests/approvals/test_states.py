"""The life of a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.states import Action, ImpossibleTransition, State, after, sources

ENDS = [State.EXECUTED, State.FAILED, State.UNKNOWN, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.DRIFTED]


@pytest.mark.parametrize("state", ENDS)
@pytest.mark.parametrize("action", Action)
def test_nothing_leads_out_of_an_end(state: State, action: Action) -> None:
    with pytest.raises(ImpossibleTransition):
        after(state, action)


@given(st.lists(st.sampled_from(Action), max_size=12))
def test_p4_nothing_executes_that_was_not_approved(actions: list[Action]) -> None:
    state, approved = State.PENDING, False
    for action in actions:
        try:
            state = after(state, action)
        except ImpossibleTransition:
            continue
        approved |= action is Action.APPROVE
        assert state is not State.EXECUTING or approved


@pytest.mark.parametrize("action", Action)
def test_every_action_leads_to_one_state_wherever_it_starts(action: Action) -> None:
    """The guarded UPDATE sets one state for all sources."""
    assert len({after(state, action) for state in sources(action)}) == 1
