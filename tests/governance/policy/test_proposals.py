"""Policy sets that wait for people, because the active set demands it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from audit.models import Entry
from governance.errors import Denied
from governance.models import PolicyProposal, PolicySet
from governance.policy import proposals, store
from governance.policy.problems import PolicyError
from governance.policy.proposals import OPERATOR, Author, ReviewInvalid, ReviewRefused, author_of
from identity.principals import Principal, principal_of_agent, principal_of_user
from tests.factories import make_agent, make_user
from tests.governance.asking import READS

REVIEWED = (
    READS
    + """
@id("four-eyes") @review("dba") @quorum("2") @message("Two of the dba must agree.")
forbid (principal, action == Action::"activate", resource);
"""
)
WANTED = REVIEWED.replace("four-eyes", "four-eyes-again")


@pytest.fixture(autouse=True)
def cast(control_db: str) -> dict[str, Principal]:
    PolicySet.objects.all().delete()
    store._compiled.clear()
    people = {
        "root": make_user("root", "dba", is_administrator=True),
        "rita": make_user("rita", "dba"),
        "dora": make_user("dora", "dba"),
        "olaf": make_user("olaf", "auditors"),
    }
    return {name: principal_of_user(user) for name, user in people.items()}


@pytest.fixture
def reviewed(cast: dict[str, Principal]) -> None:
    store.activate(REVIEWED, "user:root")


def propose(cast: dict[str, Principal], text: str = WANTED) -> PolicyProposal:
    proposal = proposals.submit(text, author_of(cast["root"], "web"), "why not").proposal
    assert proposal
    return proposal


def kinds() -> list[str]:
    return list(Entry.objects.filter(kind__startswith="policy.").order_by("index").values_list("kind", flat=True))


def last_entry(kind: str) -> dict[str, Any]:
    entry = Entry.objects.filter(kind=kind).order_by("-index").first()
    assert entry
    header: dict[str, Any] = orjson.loads(bytes(entry.header))
    return header


def test_without_a_demand_the_set_is_in_force_at_once(cast: dict[str, Principal]) -> None:
    store.activate(READS, "user:root")
    submitted = proposals.submit(REVIEWED, author_of(cast["root"], "web"), "four eyes")
    assert submitted.program
    assert submitted.program.version == 2
    assert PolicySet.objects.get(version=2).author == "user:root"


def test_with_a_demand_it_waits_and_the_active_set_stays(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = propose(cast)
    assert proposal.state == "pending"
    assert proposal.required == [{"group": "dba", "quorum": 2}]
    assert store.active().text == REVIEWED
    assert last_entry("policy.proposed")["policies"] == ["four-eyes"]


def test_the_text_that_is_active_is_neither_proposed_nor_activated(cast: dict[str, Principal], reviewed: None) -> None:
    submitted = proposals.submit(REVIEWED, author_of(cast["root"], "web"))
    assert submitted.program
    assert submitted.program.version == 1
    assert not PolicyProposal.objects.exists()


def test_the_last_approval_puts_it_into_force(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = propose(cast)
    assert proposals.review(proposal.pk, cast["rita"], "approve").state == "pending"
    ended = proposals.review(proposal.pk, cast["dora"], "approve", "looks right")
    assert (ended.state, ended.version) == ("activated", 2)
    assert store.active().text == WANTED
    assert kinds()[-4:] == ["policy.proposed", "policy.reviewed", "policy.reviewed", "policy.activated"]
    entry = last_entry("policy.activated")
    assert (entry["actor"], entry["reviewers"], entry["previous"]) == ("user:root", ["dora", "rita"], 1)


def test_p5_nobody_approves_their_own_set(cast: dict[str, Principal], reviewed: None) -> None:
    with pytest.raises(ReviewRefused, match="you proposed it yourself"):
        proposals.review(propose(cast).pk, cast["root"], "approve")


def test_p5_agents_neither_propose_nor_review(cast: dict[str, Principal], reviewed: None) -> None:
    bot = principal_of_agent(make_agent("bot", make_user("rita", "dba"), "dba"))
    with pytest.raises(Denied, match="Agents"):
        author_of(bot, "rest")
    with pytest.raises(ReviewRefused, match="Agents never review"):
        proposals.review(propose(cast).pk, bot, "approve")


def test_only_administrators_submit(cast: dict[str, Principal], reviewed: None) -> None:
    with pytest.raises(Denied, match="Only administrators"):
        proposals.submit(WANTED, author_of(cast["rita"], "web"))


def test_only_members_of_the_group_review(cast: dict[str, Principal], reviewed: None) -> None:
    with pytest.raises(ReviewRefused, match="Only members of dba"):
        proposals.review(propose(cast).pk, cast["olaf"], "approve")


def test_a_person_counts_once(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = propose(cast)
    proposals.review(proposal.pk, cast["rita"], "approve")
    with pytest.raises(ReviewRefused, match="already"):
        proposals.review(proposal.pk, cast["rita"], "approve")


def test_an_approval_by_somebody_who_has_left_the_group_does_not_count(
    cast: dict[str, Principal], reviewed: None
) -> None:
    proposal = propose(cast)
    proposals.review(proposal.pk, cast["rita"], "approve")
    make_user("rita")
    assert proposals.review(proposal.pk, cast["dora"], "approve").state == "pending"


def test_one_rejection_rejects_and_says_why(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = propose(cast)
    with pytest.raises(ReviewInvalid, match="Say in the comment"):
        proposals.review(proposal.pk, cast["rita"], "reject")
    assert proposals.review(proposal.pk, cast["rita"], "reject", "too wide").state == "rejected"
    assert store.active().text == REVIEWED
    assert last_entry("policy.rejected")["actor"] == "user:rita"
    with pytest.raises(ReviewRefused, match="It is rejected"):
        proposals.review(proposal.pk, cast["dora"], "approve")


def test_another_active_set_makes_proposals_outdated(cast: dict[str, Principal], reviewed: None) -> None:
    first, second = propose(cast), propose(cast, WANTED.replace("again", "again-2"))
    for name in ("rita", "dora"):
        proposals.review(first.pk, cast[name], "approve")
    assert proposals.fetch_proposal(second.pk).state == "outdated"
    assert last_entry("policy.closed")["state"] == "outdated"


def test_p4_a_text_that_was_changed_after_it_was_proposed_does_not_come_into_force(
    cast: dict[str, Principal], reviewed: None
) -> None:
    proposal = propose(cast)
    proposals.review(proposal.pk, cast["rita"], "approve")
    PolicyProposal.objects.filter(pk=proposal.pk).update(text=READS)
    with pytest.raises(ReviewRefused):
        proposals.review(proposal.pk, cast["dora"], "approve")
    assert store.active().text == REVIEWED


def test_what_nobody_decides_in_time_expires(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = propose(cast)
    PolicyProposal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ReviewRefused, match="expired"):
        proposals.review(proposal.pk, cast["rita"], "approve")
    assert not proposals.open_proposals().exists()
    assert proposals.expire_due() == 1
    assert proposals.fetch_proposal(proposal.pk).state == "expired"


def test_the_author_withdraws(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = propose(cast)
    with pytest.raises(ReviewRefused, match="Only whoever proposed it"):
        proposals.withdraw(proposal.pk, cast["rita"])
    assert proposals.withdraw(proposal.pk, cast["root"]).state == "withdrawn"


def test_the_command_line_waits_too(cast: dict[str, Principal], reviewed: None) -> None:
    proposal = proposals.submit(WANTED, OPERATOR).proposal
    assert proposal
    assert (proposal.author, proposal.author_name) == (None, "command line")


def test_a_refusal_to_activate_is_told_with_its_policy(cast: dict[str, Principal]) -> None:
    only_root = '@id("only-root") @message("Ask root.") forbid (principal, action == Action::"activate", resource)'
    store.activate(f'{READS} {only_root} unless {{ principal == User::"root" }};', "user:root")
    with pytest.raises(Denied, match=r"Ask root\."):
        proposals.submit(READS, Author("user:dora", frozenset(), is_administrator=True))
    assert proposals.submit(READS, author_of(cast["root"], "web")).program


def test_a_set_that_nobody_could_replace_is_refused(cast: dict[str, Principal]) -> None:
    store.activate(READS, "user:root")
    alone = REVIEWED.replace('@quorum("2")', '@quorum("4")')
    with pytest.raises(PolicyError, match="nobody could ever activate another one"):
        proposals.submit(alone, author_of(cast["root"], "web"))
    assert store.active().text == READS


def test_a_set_that_no_administrator_may_replace_is_refused(cast: dict[str, Principal]) -> None:
    closed = '@id("closed") forbid (principal, action == Action::"activate", resource);'
    with pytest.raises(PolicyError, match="no administrator could activate") as caught:
        proposals.submit(f"{READS}\n{closed}", author_of(cast["root"], "web"))
    assert [(problem.line, problem.policy) for problem in caught.value.problems] == [(2, "closed")]
