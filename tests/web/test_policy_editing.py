"""Editing policies: checked, tested, compared and activated, or proposed; and nothing that was typed is lost."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from audit.ledger import LedgerUnavailable
from audit.models import Entry
from governance.models import PolicyProposal, PolicySet
from governance.policy import store
from governance.web import progress
from identity.models import User
from tests.factories import ACTOR, Cast, make_user
from tests.web.conftest import Park, Run, SignIn
from tests.web.test_safety import wrong_in

READS = '@id("reads")\npermit (principal, action == Action::"read", resource);\n'
REVIEWED = f"""{READS}
@id("two-eyes") @review("dba") @quorum("1") @expires("2d") @message("Policies are looked at by a second person.")
forbid (principal, action == Action::"activate", resource);
"""
UNSOUND = READS + '\n@id("wrong") permit (principal, action == Action::"reed", resource);\n'
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk(cast: Cast, root: User, sign_in: SignIn) -> Client:
    """An administrator's browser."""
    return sign_in(root)


def send(client: Client, text: str, step: str = "", base: int = 0, **values: str):
    return client.post(f"/policy/edit/{step}", {"text": text, "base": str(base or store.active().version), **values})


def try_out(client: Client, text: str, sql: str, asker: str = "agent:analyst-bot", **more: str):
    values = {"datasource": "shop", "asker": asker, "door": "rest", "sql": sql, **more}
    return send(client, text, action="test", **values)  # type: ignore[arg-type]


# --- Checking -----------------------------------------------------------------------------------------------------


def test_the_editor_opens_with_the_active_text(desk: Client) -> None:
    response = desk.get("/policy/edit/")
    assert response.context["text"] == store.active().text
    assert "Sound:" in response.text


def test_an_old_version_is_restored_as_an_edit(desk: Client) -> None:
    store.activate(READS, ACTOR)
    response = desk.get("/policy/edit/?from=1")
    assert response.context["text"] == PolicySet.objects.get(version=1).text
    assert response.context["base"] == 2
    assert 'data-changed="true"' in response.text


def test_what_is_wrong_is_told_with_its_line_and_nothing_is_lost(desk: Client) -> None:
    response = send(desk, UNSOUND.replace("\n", "\r\n"), action="check")
    assert 'data-line="4"' in response.text
    assert response.context["text"] == UNSOUND


def test_htmx_gets_the_problems_alone(desk: Client) -> None:
    response = desk.post("/policy/edit/", {"text": "permit (", "action": "check"}, headers=HTMX)
    assert response.status_code == 200
    assert 'data-kind="error"' in response.text
    assert "<html" not in response.text


def test_warnings_do_not_make_a_text_unsound(desk: Client) -> None:
    lonely = f'{READS}@id("lonely") @review("nobody") forbid (principal, action == Action::"write", resource);'
    response = send(desk, lonely, action="check")
    assert 'data-kind="warning"' in response.text
    assert "Sound:" in response.text


# --- Testing a statement ------------------------------------------------------------------------------------------


def test_a_statement_is_tried_under_the_text_beside_the_active_set(desk: Client) -> None:
    response = try_out(desk, READS, "DELETE FROM orders WHERE id = 1")
    edited, active = response.context["tested"]["sides"]
    assert (edited.decision["verdict"], active.decision["verdict"]) == ("deny", "allow")
    assert "verdict" in edited.differs
    assert response.context["text"] == READS


def test_a_trial_shows_masks_and_what_would_run(desk: Client) -> None:
    response = try_out(desk, store.default_text(), "SELECT email FROM customers")
    assert "email, shown as partial" in response.text
    assert "What would run" in response.text
    assert "No difference" in response.text


def test_a_trial_may_imagine_another_environment(desk: Client) -> None:
    response = try_out(desk, store.default_text(), "SELECT email FROM customers", environment="dev")
    assert "No column is masked." in response.text


def test_a_trial_runs_and_records_nothing(desk: Client) -> None:
    before = Entry.objects.count()
    try_out(desk, READS, "DELETE FROM orders")
    assert Entry.objects.count() == before


@pytest.mark.parametrize("sql", ["SELECT * FORM orders", "  "])
def test_a_statement_that_cannot_be_tried_says_why_and_keeps_everything(desk: Client, sql: str) -> None:
    response = try_out(desk, READS, sql)
    assert "alert-error" in response.text
    assert response.context["text"] == READS
    assert response.context["test_form"]["sql"].value() == sql


def test_an_unsound_text_is_not_tried(desk: Client) -> None:
    assert "The edited text is not sound" in try_out(desk, UNSOUND, "SELECT 1").text


def test_anybody_tries_as_themselves_and_their_agents_only(cast: Cast, sign_in: SignIn) -> None:
    values = {"datasource": "shop", "door": "rest", "sql": "DELETE FROM orders"}
    own = sign_in(cast.alice).post("/policy/test/", {**values, "asker": "agent:analyst-bot"})
    assert own.context["sides"][0].decision["policies"] == ["mass-write"]
    others = sign_in(cast.mallory).post("/policy/test/", {**values, "asker": "agent:analyst-bot"})
    assert others.status_code == 422


# --- Activating ---------------------------------------------------------------------------------------------------


def test_nothing_is_activated_before_the_comparison_was_seen(desk: Client) -> None:
    response = send(desk, READS, "confirm/")
    assert 'class="diff-removed"' in response.text
    assert "mass-write" in response.text
    assert PolicySet.objects.count() == 1


def test_an_edited_text_is_activated_with_its_comment(desk: Client) -> None:
    response = send(desk, READS, "activate/", comment="only reading")
    assert response.status_code == 302
    active = PolicySet.objects.get(is_active=True)
    assert (active.version, active.text, active.author, active.comment) == (2, READS, "user:root", "only reading")
    assert Entry.objects.filter(kind="policy.activated").count() == 2


def test_activating_without_a_comment_asks_for_one(desk: Client) -> None:
    response = send(desk, READS, "activate/", comment=" ")
    assert response.status_code == 422
    assert "Say why" in response.text
    assert store.active().version == 1


@pytest.mark.parametrize("step", ["confirm/", "activate/"])
def test_an_unsound_text_goes_back_to_the_editor(desk: Client, step: str) -> None:
    response = send(desk, UNSOUND, step, comment="x")
    assert response.status_code == 422
    assert response.context["text"] == UNSOUND
    assert store.active().version == 1


def test_a_set_that_locks_every_administrator_out_is_not_activated(desk: Client) -> None:
    locked = f'{READS}@id("none") forbid (principal, action, resource);'
    response = send(desk, locked, "activate/", comment="x")
    assert response.status_code == 422
    assert "no administrator could" in response.text


def test_what_somebody_else_activated_meanwhile_is_shown_first(desk: Client) -> None:
    store.activate(READS, "dora", "faster")
    response = send(desk, READS + "// mine\n", "activate/", base=1, comment="mine")
    assert response.status_code == 409
    assert "Somebody was faster" in response.text
    assert store.active().version == 2


def test_the_text_that_is_active_already_is_not_activated_again(desk: Client) -> None:
    assert "there is nothing to activate" in send(desk, store.active().text, "confirm/").text


def test_an_activation_that_the_ledger_cannot_record_changes_nothing(desk: Client, monkeypatch) -> None:
    def unavailable(*_arguments: object, **_fields: object) -> None:
        raise LedgerUnavailable("no disk")

    monkeypatch.setattr("audit.ledger.append_within", unavailable)
    response = send(desk, READS, "activate/", comment="why not")
    assert response.status_code == 503
    assert "why not" in response.text
    assert store.active().version == 1


# --- Proposals ----------------------------------------------------------------------------------------------------


@pytest.fixture
def proposal(desk: Client) -> PolicyProposal:
    """Root's proposal, where the active set wants one of group dba to agree."""
    store.activate(REVIEWED, ACTOR)
    send(desk, REVIEWED + "// more\n", "activate/", comment="one more line")
    return PolicyProposal.objects.get()


def review(client: Client, proposal: PolicyProposal, verdict: str, comment: str = ""):
    return client.post(f"/policy/proposals/{proposal.pk}/review/", {"verdict": verdict, "comment": comment})


def test_where_the_active_set_wants_a_review_the_text_becomes_a_proposal(proposal: PolicyProposal) -> None:
    assert (proposal.state, proposal.author_name, proposal.base) == ("pending", "user:root", 2)
    assert store.active().version == 2


def test_the_menu_of_policies_counts_open_proposals(proposal: PolicyProposal, cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.rita)
    assert '<span class="visually-hidden"> open</span>' in client.get("/policy/").text
    assert "one more line" in client.get("/policy/proposals/").text


def test_the_last_approval_puts_it_into_force(proposal: PolicyProposal, cast: Cast, sign_in: SignIn) -> None:
    review(sign_in(cast.rita), proposal, "approve", "fine")
    assert store.active().text == proposal.text
    assert "in force as" in sign_in(cast.mallory).get(f"/policy/proposals/{proposal.pk}/").text


def test_a_rejection_needs_a_comment_and_keeps_the_active_set(
    proposal: PolicyProposal, cast: Cast, sign_in: SignIn
) -> None:
    client = sign_in(cast.rita)
    assert review(client, proposal, "reject").status_code == 422
    review(client, proposal, "reject", "too wide")
    proposal.refresh_from_db()
    assert (proposal.state, store.active().version) == ("rejected", 2)


def test_p5_the_author_sees_why_they_cannot_review_and_cannot(
    proposal: PolicyProposal, root: User, desk: Client
) -> None:
    make_user("root", "dba", is_administrator=True)
    page = desk.get(f"/policy/proposals/{proposal.pk}/").text
    assert "you proposed it yourself" in page
    assert 'value="approve"' not in page
    review(desk, proposal, "approve")
    assert store.active().version == 2


def test_who_is_in_no_required_group_has_no_form(proposal: PolicyProposal, cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.mallory)
    assert "Only members of dba can review it" in client.get(f"/policy/proposals/{proposal.pk}/").text
    review(client, proposal, "approve")
    assert store.active().version == 2


def test_the_author_withdraws_and_others_do_not(proposal: PolicyProposal, cast: Cast, desk: Client, sign_in) -> None:
    sign_in(cast.rita).post(f"/policy/proposals/{proposal.pk}/withdraw/")
    proposal.refresh_from_db()
    assert proposal.state == "pending"
    desk.post(f"/policy/proposals/{proposal.pk}/withdraw/")
    proposal.refresh_from_db()
    assert proposal.state == "withdrawn"


# --- Replaying ----------------------------------------------------------------------------------------------------


def test_a_replay_tells_what_would_have_been_decided_otherwise(desk: Client, run: Run, park: Park) -> None:
    run("SELECT id FROM orders")
    run("SELECT status FROM orders WHERE id = 1")
    park("DELETE FROM orders")
    response = send(desk, READS, action="replay", span="day", source="")
    replay = response.context["replay"]
    assert (replay.replayed, replay.changed) == (3, 1)
    (change,) = replay.changes
    assert change.what == ("review → deny",)
    assert f'href="/ledger/{change.example}/"' in response.text
    assert response.context["text"] == READS


def test_a_replay_of_nothing_says_so(desk: Client) -> None:
    assert "Nothing to replay" in send(desk, READS, action="replay", span="week", source="shop").text


def test_an_unsound_text_is_not_replayed(desk: Client) -> None:
    assert "The edited text is not sound" in send(desk, UNSOUND, action="replay", span="day", source="").text


def test_the_replay_of_the_last_day_stands_beside_the_activation(desk: Client, park: Park) -> None:
    park("DELETE FROM orders")
    assert send(desk, READS, "confirm/").context["replay"].changed == 1


def test_progress_is_told_to_whoever_started_it_only(desk: Client, root: User) -> None:
    job = uuid.uuid4()
    progress.tell(root.pk, job, 250)
    assert desk.get(f"/policy/edit/replay/{job}/").json() == {"done": 250}
    assert progress.ask(root.pk + 1, job) == 0


def test_no_page_of_an_administrator_has_anything_inline(desk: Client, proposal: PolicyProposal, run: Run) -> None:
    run("SELECT status FROM orders")
    text = f'{READS}// <script>alert(1)</script> " onload="x\n'
    answers = [
        send(desk, UNSOUND, action="check"),
        send(desk, text, "confirm/"),
        try_out(desk, text, "SELECT email FROM customers"),
        desk.get(f"/policy/proposals/{proposal.pk}/"),
    ]
    assert [wrong_in(answer.text) for answer in answers] == [[], [], [], []]
