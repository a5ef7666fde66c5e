"""Proposed policy sets: the list, and one of them with what it changes and its reviews."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.ledger import LedgerUnavailable
from governance.models import PolicyProposal
from governance.policy import proposals
from governance.policy.problems import PolicyError
from governance.policy.proposals import ReviewRefused, UnknownProposal
from governance.web import proposal_story
from governance.web.comparison import changed_policies, compare
from governance.web.forms import ProposalReviewForm
from governance.web.policy_pages import fetch_version
from governance.web.timeline import seats_of
from identity.viewer import viewer

PAGE_SIZE = 25


@login_required
@require_GET
def policy_proposals(http: HttpRequest) -> HttpResponse:
    page = Paginator(proposals.proposals(), PAGE_SIZE).get_page(http.GET.get("page"))
    context = {
        "page": page,
        "previous": f"page={page.previous_page_number()}" if page.has_previous() else "",
        "next": f"page={page.next_page_number()}" if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
    }
    return render(http, "governance/policy-proposals.html", context)


@login_required
@require_GET
def policy_proposal(http: HttpRequest, proposal_id: uuid.UUID) -> HttpResponse:
    return _detail(http, _fetch(proposal_id), ProposalReviewForm())


def _fetch(proposal_id: uuid.UUID) -> PolicyProposal:
    try:
        return proposals.fetch_proposal(proposal_id)
    except UnknownProposal:
        raise Http404 from None


@login_required
@require_POST
def policy_proposal_review(http: HttpRequest, proposal_id: uuid.UUID) -> HttpResponse:
    proposal, form = _fetch(proposal_id), ProposalReviewForm(http.POST)
    if not form.is_valid():
        return _detail(http, proposal, form, status=422)
    verdict, comment = form.cleaned_data["verdict"], form.cleaned_data["comment"]
    return _changed(http, proposal, form, lambda: proposals.review(proposal.pk, viewer(http), verdict, comment))


@login_required
@require_POST
def policy_proposal_withdraw(http: HttpRequest, proposal_id: uuid.UUID) -> HttpResponse:
    proposal = _fetch(proposal_id)
    return _changed(http, proposal, ProposalReviewForm(), lambda: proposals.withdraw(proposal.pk, viewer(http)))


def _changed(
    http: HttpRequest, proposal: PolicyProposal, form: ProposalReviewForm, change: Callable[[], PolicyProposal]
) -> HttpResponse:
    try:
        messages.success(http, THANKS[PolicyProposal.State(change().state)])
    except ReviewRefused as refusal:
        messages.error(http, refusal.message)
    except PolicyError as error:
        messages.error(http, f"It cannot come into force any more: {error}")
    except LedgerUnavailable as error:
        form.add_error(None, f"It is not recorded, so it does not count: {error}. Send it again in a moment.")
        return _detail(http, proposal, form, status=503)
    return redirect("policy-proposal", proposal.pk)


State = PolicyProposal.State
THANKS = {
    State.PENDING: "Your approval is recorded. It still needs others.",
    State.ACTIVATED: "Approved, and in force from now on.",
    State.REJECTED: "Rejected. The active set stays as it is; the author is told why.",
    State.WITHDRAWN: "Withdrawn. The active set stays as it is.",
    State.EXPIRED: "It has expired.",
    State.OUTDATED: "Another set was activated meanwhile, so it is outdated.",
}


def _detail(http: HttpRequest, proposal: PolicyProposal, form: ProposalReviewForm, status: int = 200) -> HttpResponse:
    person, base = viewer(http), fetch_version(proposal.base)
    is_open = proposal.state == State.PENDING
    context = {
        "proposal": proposal,
        "form": form,
        "base": base,
        "comparison": compare(base.text, proposal.text),
        "changes": changed_policies(base.text, proposal.text),
        "obstacle": proposals.why_not_review(proposal, person),
        "may_withdraw": is_open and (proposal.author_id or (person.id if person.is_administrator else 0)) == person.id,
        "seats": seats_of(proposal.required, proposals.lacking(proposal)),
        "steps": proposal_story.steps_of(proposal, list(proposal.reviews.all())),
    }
    return render(http, "governance/policy-proposal.html", context, status=status)
