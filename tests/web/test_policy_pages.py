"""Reading policies: the cards of the active set, its versions, and two of them compared."""

from __future__ import annotations

import pytest

from governance.policy import store
from identity.models import User
from tests.factories import ACTOR, Cast
from tests.web.conftest import Run, SignIn

READS = '@id("reads") permit (principal, action == Action::"read", resource);'
WRITES = '@id("writes") permit (principal, action == Action::"write", resource);'


@pytest.fixture
def second(cast: Cast) -> int:
    """A second version is active; the first is the default set."""
    return store.activate(f"// Everybody reads.\n{READS}\n", "rita", "only reading").version


def test_every_policy_of_the_active_set_has_a_card(cast: Cast, sign_in: SignIn) -> None:
    text = sign_in(cast.mallory).get("/policy/").text
    for policy in store.active().policies.values():
        assert f'id="policy-{policy.id}"' in text
    assert "1 of group dba, within 4 h" in text


def test_a_card_tells_comment_message_and_remedy(cast: Cast, sign_in: SignIn) -> None:
    text = sign_in(cast.mallory).get("/policy/?text=truncate").text
    assert "TRUNCATE empties a relation" in text
    assert "Use DELETE with a WHERE" in text


@pytest.mark.parametrize(
    ("filters", "shown", "hidden"),
    [
        ("effect=review", "mass-write", "truncate"),
        ("effect=permit", "unmask-outside-production", "mass-write"),
        ("action=read", "policy-read", "policy-define"),
        ("text=CASCADE", "cascading-write", "unmask-outside-production"),
    ],
)
def test_cards_are_filtered(cast: Cast, sign_in: SignIn, filters: str, shown: str, hidden: str) -> None:
    text = sign_in(cast.mallory).get(f"/policy/?{filters}").text
    assert f'id="policy-{shown.removeprefix("policy-")}"' in text
    assert f'id="policy-{hidden.removeprefix("policy-")}"' not in text


def test_a_filter_that_nothing_fits_says_so(cast: Cast, sign_in: SignIn) -> None:
    assert "No policy matches" in sign_in(cast.mallory).get("/policy/?text=nowhere").text


def test_the_policies_of_a_decision_lead_to_their_cards(cast: Cast, sign_in: SignIn, run: Run) -> None:
    text = sign_in(cast.alice).get(f"/queries/{run().pk}/").text
    assert 'href="/policy/versions/1/#policy-read"' in text


def test_versions_are_listed_with_author_and_comment(cast: Cast, sign_in: SignIn, second: int) -> None:
    text = sign_in(cast.mallory).get("/policy/versions/").text
    assert "only reading" in text
    assert "rita" in text
    assert "The default policy set" in text


def test_an_old_version_is_shown_as_such(cast: Cast, sign_in: SignIn, second: int) -> None:
    text = sign_in(cast.mallory).get("/policy/versions/1/").text
    assert "Policy, version 1" in text
    assert 'id="policy-mass-write"' in text


def test_a_comparison_tells_which_policies_were_added_changed_and_removed(
    cast: Cast, sign_in: SignIn, second: int
) -> None:
    third = store.activate(f"{READS.replace('resource);', 'resource is Table);')}\n{WRITES}", ACTOR).version
    response = sign_in(cast.mallory).get(f"/policy/compare/?old={second}&new={third}")
    assert [(change.policy, change.what) for change in response.context["changes"]] == [
        ("writes", "added"), ("reads", "changed"),
    ]  # fmt: skip
    assert 'class="diff-added"' in response.text
    assert 'class="diff-removed"' in response.text


def test_versions_that_do_not_exist_cannot_be_compared(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.mallory).get("/policy/compare/?old=1&new=77").status_code == 400


def test_policies_that_hold_markup_stay_text(cast: Cast, sign_in: SignIn) -> None:
    store.activate(f'@message("<script>alert(1)</script>")\n// <b>\u202e\n{READS}', ACTOR)
    text = sign_in(cast.mallory).get("/policy/").text
    assert "<script>alert" not in text
    assert "U+202E" in text


def test_a_version_that_is_no_cedar_any_more_is_shown_plain(cast: Cast, sign_in: SignIn, second: int) -> None:
    from governance.models import PolicySet

    PolicySet.objects.filter(version=1).update(text="permit (principal, action, resource")
    response = sign_in(cast.mallory).get("/policy/versions/1/")
    assert response.status_code == 200
    assert "Shown as plain text" in response.text


def test_only_administrators_are_offered_to_edit(cast: Cast, root: User, sign_in: SignIn) -> None:
    assert "/policy/edit/" not in sign_in(cast.rita).get("/policy/").text
    assert "/policy/edit/?from=1" in sign_in(root).get("/policy/").text
