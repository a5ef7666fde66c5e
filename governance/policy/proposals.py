"""Putting a policy set into force: at once where the active set lets it, else as a proposal that people review.

Who acts comes from authentication only. Each change is made under one lock, with its row and its ledger entry in one
transaction. Nobody reviews their own proposal, administrators neither, and agents never review (P5).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import ledger
from audit.events import clean_text
from governance.errors import Denied, GatewayError
from governance.models import PolicyProposal, PolicyReview
from governance.policy import store
from governance.policy.activation import decide_activation, question_of
from governance.policy.decision import Decision, RequiredReview, Verdict
from governance.policy.problems import PolicyError
from governance.policy.program import PolicyProgram
from governance.policy.quorum import missing
from governance.policy.surroundings import examine
from identity.models import User
from identity.principals import Principal

State = PolicyProposal.State
ReviewVerdict = PolicyReview.Verdict
LONGEST_REVIEW = 4000
COMMAND_LINE = "command line"
AUDITORS = "auditors"


class UnknownProposal(GatewayError):
    code = "unknown-proposal"
    title = "No such proposal"
    status = 404


class ReviewRefused(GatewayError):
    code = "review-refused"
    title = "The review is refused"
    status = 403


class ReviewInvalid(ReviewRefused):
    code = "invalid"
    status: ClassVar[int] = 400


@dataclass(frozen=True, slots=True)
class Author:
    """Who puts a policy set into force. `user` None: whoever has the machine, through the command line."""

    name: str
    groups: frozenset[str]
    is_administrator: bool
    user: int | None = None
    door: str = "web"

    @property
    def bare_name(self) -> str:
        return self.name.removeprefix("user:")


OPERATOR = Author(COMMAND_LINE, frozenset(), is_administrator=True)


def author_of(principal: Principal, door: str) -> Author:
    """Raises `Denied` for agents."""
    if not principal.is_person:
        raise Denied("Agents change no policies: a person must.", remedy="Ask an administrator.")
    return Author(principal.label, principal.groups, principal.is_administrator, principal.id, door)


@dataclass(frozen=True, slots=True)
class Submitted:
    """Either of the two: the program that is in force now, or the proposal that waits."""

    program: PolicyProgram | None = None
    proposal: PolicyProposal | None = None


# --- Submitting ---------------------------------------------------------------------------------------------------


def may_submit(author: Author, now: datetime | None = None) -> Decision:
    """What the active set says of this person's putting another into force: allow, review or deny."""
    question = question_of(
        author.bare_name,
        author.groups,
        is_administrator=author.is_administrator,
        door=author.door,
        now=now or timezone.now(),
    )
    return decide_activation(store.active(), question)


def submit(text: str, author: Author, comment: str = "") -> Submitted:
    """Raises `PolicyError`, `Denied` or `CommentTooLong`; then nothing has changed."""
    store.check_comment(comment)
    program = _sound(text)
    with transaction.atomic():
        store.lock()
        proposal = None if store.active().text == text else _submit(program, author, comment)
    # Not before the commit: a set that is rolled back must not stay in this process's memory.
    return Submitted(proposal=proposal) if proposal else Submitted(program=store.active())


def _submit(program: PolicyProgram, author: Author, comment: str) -> PolicyProposal | None:
    decision = may_submit(author)
    if decision.verdict is Verdict.DENY:
        raise Denied(decision.message, remedy=decision.remedy)
    if decision.verdict is Verdict.REVIEW:
        return _propose(program.text, author, comment, decision)
    _put_in_force(program, author.name, comment)
    return None


def _sound(text: str) -> PolicyProgram:
    found = examine(text)
    if found.program is None:
        raise PolicyError(found.problems)
    return found.program


def _propose(text: str, author: Author, comment: str, decision: Decision) -> PolicyProposal:
    proposal = PolicyProposal.objects.create(
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        author_id=author.user,
        author_name=author.name,
        comment=comment,
        base=decision.set_version,
        required=[{"group": one.group, "quorum": one.quorum} for one in decision.required],
        policies=list(decision.policies),
        message=decision.message,
        expires_at=timezone.now() + timedelta(seconds=decision.expires_in),
    )
    _record(
        "policy.proposed",
        proposal,
        actor=author.name,
        comment=comment or None,
        base=proposal.base,
        policies=list(decision.policies),
        required=[f"{one.quorum} of {one.group}" for one in decision.required],
    )
    return proposal


def _put_in_force(program: PolicyProgram, author: str, comment: str, **more: Any) -> int:
    """Under the lock. What else was proposed was meant as a change of what has just ceased to be in force."""
    version = store.put_in_force(program, author, comment, **more)
    for other in PolicyProposal.objects.filter(state=State.PENDING).exclude(base=version):
        _close(other, State.OUTDATED)
    return version


# --- Finding ------------------------------------------------------------------------------------------------------


def proposals() -> QuerySet[PolicyProposal]:
    """Newest first, with their reviews."""
    return PolicyProposal.objects.select_related("author").prefetch_related("reviews__reviewer")


def open_proposals() -> QuerySet[PolicyProposal]:
    return proposals().filter(state=State.PENDING, expires_at__gt=timezone.now())


def visible_to(principal: Principal, found: QuerySet[PolicyProposal]) -> QuerySet[PolicyProposal]:
    """To administrators and auditors all; to others what one of their groups reviews."""
    if not principal.is_person:
        return found.none()
    if principal.is_administrator or AUDITORS in principal.groups:
        return found
    mine = Q(author_id=principal.id)
    for group in principal.groups:
        mine |= Q(required__contains=[{"group": group}])
    return found.filter(mine)


def fetch_proposal(proposal_id: uuid.UUID) -> PolicyProposal:
    """Raises `UnknownProposal`."""
    proposal = proposals().filter(pk=proposal_id).first()
    if proposal is None:
        raise UnknownProposal("There is no such proposal.", remedy="Look at the list of proposals.")
    return proposal


# --- Reviewing ----------------------------------------------------------------------------------------------------


def why_not_review(proposal: PolicyProposal, principal: Principal) -> str:
    """Why this person may not review it; empty when they may."""
    if not principal.is_person:
        return "Agents never review: a person must."
    if proposal.author_id == principal.id:
        return "You cannot review it, since you proposed it yourself. Somebody else must."
    if proposal.state != State.PENDING:
        return f"It is {proposal.state}: there is nothing to review."
    if proposal.expires_at <= timezone.now():
        return "It has expired; it would have to be proposed again."
    groups = [one["group"] for one in proposal.required]
    if not principal.groups.intersection(groups):
        return f"Only members of {', '.join(groups)} can review it."
    if any(review.reviewer_id == principal.id for review in proposal.reviews.all()):
        return "You have already reviewed it."
    return ""


def review(proposal_id: uuid.UUID, reviewer: Principal, verdict: str, comment: str = "") -> PolicyProposal:
    """One rejection rejects; with the last approval that is needed the set is in force.

    Raises `UnknownProposal`, `ReviewRefused`; `PolicyError` when the set has become unsound meanwhile.
    """
    comment = comment.strip()
    _check_verdict(verdict, comment)
    with transaction.atomic():
        proposal = _locked(proposal_id)
        if reason := why_not_review(proposal, reviewer):
            raise ReviewRefused(reason)
        given = PolicyReview.objects.create(
            proposal=proposal, reviewer_id=reviewer.id, verdict=verdict, comment=comment
        )
        _record("policy.reviewed", proposal, {"comment": comment}, actor=reviewer.label, review=given.verdict)
        if verdict == ReviewVerdict.REJECT:
            _close(proposal, State.REJECTED, actor=reviewer.label)
        elif not lacking(proposal):
            _activate(proposal)
    return fetch_proposal(proposal_id)


def _check_verdict(verdict: str, comment: str) -> None:
    if verdict not in ReviewVerdict.values:
        raise ReviewInvalid(f"The verdict must be approve or reject, not {verdict[:40]!r}.")
    if verdict == ReviewVerdict.REJECT and not comment:
        raise ReviewInvalid("Say in the comment why it is rejected: whoever proposed it will read it.")
    if len(comment) > LONGEST_REVIEW:
        raise ReviewInvalid(f"The comment has {len(comment)} characters; at most {LONGEST_REVIEW} are kept.")


def lacking(proposal: PolicyProposal) -> dict[str, int]:
    """Approvals that are still missing, by group. Groups are those that the reviewers are in now."""
    approved = PolicyReview.objects.filter(proposal=proposal, verdict=ReviewVerdict.APPROVE, reviewer__is_active=True)
    approvals = {
        one.reviewer.username: frozenset(group.name for group in one.reviewer.groups.all())
        for one in approved.select_related("reviewer").prefetch_related("reviewer__groups")
        if one.reviewer_id != proposal.author_id
    }
    return missing([RequiredReview(one["group"], one["quorum"]) for one in proposal.required], approvals)


def _activate(proposal: PolicyProposal) -> None:
    """What was reviewed is what comes into force, as a change of what it was reviewed against (P4)."""
    if store.active().version != proposal.base or hashlib.sha256(proposal.text.encode()).hexdigest() != proposal.digest:
        raise ReviewRefused("The active set is another now: the proposal would have to be made again.")
    reviewers = User.objects.filter(policy_reviews__proposal=proposal).order_by("username")
    _move(proposal, State.ACTIVATED)
    version = _put_in_force(
        _sound(proposal.text),
        proposal.author_name,
        proposal.comment,
        proposal=str(proposal.pk),
        reviewers=[user.username for user in reviewers],
    )
    PolicyProposal.objects.filter(pk=proposal.pk).update(version=version)


def withdraw(proposal_id: uuid.UUID, principal: Principal) -> PolicyProposal:
    """By its author; one from the command line by any administrator."""
    with transaction.atomic():
        proposal = _locked(proposal_id)
        own = proposal.author_id == principal.id or (proposal.author_id is None and principal.is_administrator)
        if not (principal.is_person and own):
            raise ReviewRefused("Only whoever proposed it can withdraw it.")
        if proposal.state != State.PENDING:
            raise ReviewRefused(f"It is {proposal.state} and cannot be withdrawn.")
        _close(proposal, State.WITHDRAWN, actor=principal.label)
    return fetch_proposal(proposal_id)


def expire_due() -> int:
    """Closes what nobody decided in time. Returns how many."""
    due = PolicyProposal.objects.filter(state=State.PENDING, expires_at__lte=timezone.now())
    expired = 0
    for pk in due.values_list("pk", flat=True)[:500]:
        with transaction.atomic():
            proposal = _locked(pk)
            if proposal.state == State.PENDING:
                _close(proposal, State.EXPIRED)
                expired += 1
    return expired


# --- Moving -------------------------------------------------------------------------------------------------------


def _locked(proposal_id: uuid.UUID) -> PolicyProposal:
    store.lock()
    return fetch_proposal(proposal_id)


def _move(proposal: PolicyProposal, state: str) -> None:
    changed = PolicyProposal.objects.filter(pk=proposal.pk, state=State.PENDING).update(
        state=state, decided_at=timezone.now()
    )
    if not changed:
        raise ReviewRefused("Somebody else was faster: it is not pending any more.")
    proposal.state = state


def _close(proposal: PolicyProposal, state: str, actor: str | None = None) -> None:
    _move(proposal, state)
    kind = "policy.rejected" if state == State.REJECTED else "policy.closed"
    _record(kind, proposal, actor=actor, state=str(state))


def _record(kind: str, proposal: PolicyProposal, payload: Mapping[str, object] | None = None, **fields: Any) -> None:
    # What people write about it can quote data: it is sealed.
    sealed = payload if payload and any(payload.values()) else None
    if comment := fields.get("comment"):
        fields["comment"] = clean_text(comment)
    ledger.append_within(kind, payload=sealed, proposal=str(proposal.pk), digest=proposal.digest, **fields)
