"""The page of one request, and what can be done on it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from approvals import services, story
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.forms import ReviewForm
from approvals.impact import showing
from approvals.models import Request, Verdict
from approvals.states import OPEN, Action, State, sources
from approvals.web import drafts
from approvals.web.step_up import step_up_of
from audit.ledger import LedgerUnavailable
from governance.web.timeline import seats_of
from identity.principals import Principal
from identity.second_factor import lead_to, shown_at
from identity.viewer import viewer


def _fetch(person: Principal, request_id: uuid.UUID) -> Request:
    try:
        return services.fetch_request_for(person, request_id)
    except UnknownRequest:
        raise Http404 from None


@login_required
@require_GET
def request_detail(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    return _detail(http, _fetch(viewer(http), request_id), ReviewForm(initial=drafts.kept(http, request_id)))


@login_required
@require_GET
def request_live(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """What the page asks every two seconds: 204 while nothing changed, else the state card and, once nobody can review any
    more, the review card. A comment that somebody is typing is left alone."""
    person = viewer(http)
    request = _fetch(person, request_id)
    context = _state(request, person) | {"item": request, "oob_impact": True}
    if http.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    eligibility = services.may_review(request, person)
    context |= {
        "eligibility": eligibility,
        "oob": not eligibility.allowed,
        "may_withdraw": _may_withdraw(request, person),
    }
    return render(http, "approvals/_live_response.html", context)


@login_required
@require_POST
def request_review(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    request = _fetch(person, request_id)
    form = ReviewForm(http.POST)
    if not form.is_valid():
        return _detail(http, request, form, status=422)
    verdict = Verdict(form.cleaned_data["verdict"])
    try:
        after = services.review(
            request.id, person, verdict, form.cleaned_data["comment"], second_factor_at=shown_at(http)
        )
    except ReviewRefused as refusal:
        if refusal.code == "step-up-required":
            return _to_second_factor(http, request, form)
        messages.error(http, refusal.message)
    except LedgerUnavailable as error:
        form.add_error(None, f"Your review is not recorded, so it does not count: {error}. Send it again in a moment.")
        return _detail(http, request, form, status=503)
    else:
        drafts.drop(http, request.id)
        messages.success(http, _thanks(verdict, State(after.state)))
    return redirect("request-detail", request_id)


def _to_second_factor(http: HttpRequest, request: Request, form: ReviewForm) -> HttpResponse:
    """There and back; what was written waits. Nothing is decided by coming back: Approve has to be pressed."""
    drafts.keep(
        http, request.id, {name: value for name, value in form.data.items() if name in form.fields.keys() - {"verdict"}}
    )
    return lead_to(http, f"{reverse('request-detail', args=[request.id])}#request-review")


@login_required
@require_POST
def request_withdraw(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    try:
        services.withdraw(request_id, viewer(http))
    except UnknownRequest:
        raise Http404 from None
    except ReviewRefused as refusal:
        messages.error(http, refusal.message)
    else:
        messages.success(http, "Withdrawn. It will not run.")
    return redirect("request-detail", request_id)


def _thanks(verdict: Verdict, state: State) -> str:
    if verdict == Verdict.REJECT:
        return "Rejected. It will not run; whoever asked is told why."
    if state is State.PENDING:
        return "Your approval is recorded. It still needs others before it runs."
    return "Approved. A worker runs it now, once, and this page shows how it ends."


def _may_withdraw(request: Request, person: Principal) -> bool:
    return request.owner_id == person.id and request.state in sources(Action.WITHDRAW)


def _detail(http: HttpRequest, request: Request, form: ReviewForm, status: int = 200) -> HttpResponse:
    person = viewer(http)
    context = _state(request, person) | {
        "item": request,
        "form": form,
        "heading": story.headline_of(request),
        "parameters": _parameters(request.params) if request.reverts_id is None else [],
        "eligibility": services.may_review(request, person),
        "may_withdraw": _may_withdraw(request, person),
        "step_up": step_up_of(http, request),
        "draft": drafts.kept(http, request.id),
    }
    return render(http, "approvals/request-detail.html", context, status=status)


def _parameters(params: Any) -> list[object]:
    if isinstance(params, Mapping):
        return [f"{name} = {value}" for name, value in params.items()]
    return list(params or [])


def _state(request: Request, viewer: Principal) -> dict[str, Any]:
    reviews = list(services.reviewers_of(request))
    impact = showing.shown(request, viewer)
    return {
        "is_open": request.state in OPEN,
        "version": f"{request.state}-{len(reviews)}-{request.attempt}-{impact.state if impact else ''}",
        "impact": impact,
        "seats": seats_of(request.required, services.lacking(request)),
        "steps": story.steps_of(request, reviews),
    }
