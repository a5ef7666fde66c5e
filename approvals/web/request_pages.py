"""The page of one request, and what can be done on it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from approvals import services
from approvals.asking import terms_of
from approvals.errors import ReviewRefused, UnknownRequest
from approvals.forms import ReviewForm, ScheduleForm
from approvals.models import Request, Verdict
from approvals.states import State
from approvals.web import drafts
from approvals.web.request_standing import opening_in_words
from approvals.web.request_view import facts_of, state_of
from approvals.web.step_up import step_up_of
from audit.ledger import LedgerUnavailable
from identity.principals import Principal
from identity.second_factor import lead_to, shown_at
from identity.viewer import viewer

OTHER_TEXT = (
    "It was edited while you read it, so your review does not count. The new text is below, with what changed; "
    "your comment is kept."
)
# Said of the screen, not of the review: what comes back from a second factor has them anew.
NOT_KEPT = {"verdict", "seen"}


def _fetch(person: Principal, request_id: uuid.UUID) -> Request:
    try:
        return services.fetch_request_for(person, request_id)
    except UnknownRequest:
        raise Http404 from None


@login_required
@require_GET
def request_detail(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    request = _fetch(viewer(http), request_id)
    form = ReviewForm(initial=drafts.kept(http, request_id), **_terms(request))
    return _detail(http, request, form)


@login_required
@require_GET
def request_live(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """What the page asks every two seconds: 204 while nothing changed, else what follows it and, once nobody can review any
    more, the review card. What somebody is typing is left alone."""
    person = viewer(http)
    request = _fetch(person, request_id)
    context = state_of(request, person)
    if http.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    # A card that cannot be sent any more, or that is for another text, would only mislead.
    context |= {"live": True, "edited": http.GET.get("text", seen_of(request)) != seen_of(request)}
    context |= {"oob": not context["eligibility"].allowed, "seen": seen_of(request)}
    return render(http, "approvals/_live_response.html", context)


@login_required
@require_POST
def request_review(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    request = _fetch(person, request_id)
    form = ReviewForm(http.POST, **_terms(request))
    if not form.is_valid():
        return _detail(http, request, form, status=422)
    if "seen" in form.data and form.cleaned_data["seen"] != seen_of(request):
        return _other_text(http, request, form)
    verdict = Verdict(form.cleaned_data["verdict"])
    try:
        after = services.review(
            request.id,
            person,
            verdict,
            form.cleaned_data["comment"],
            second_factor_at=shown_at(http),
            revision=request.revision if "seen" in form.data else None,
            **form.given,
        )
    except ReviewRefused as refusal:
        return _refused(http, request, form, refusal)
    except LedgerUnavailable as error:
        form.add_error(None, f"Your review is not recorded, so it does not count: {error}. Send it again in a moment.")
        return _detail(http, request, form, status=503)
    drafts.drop(http, request.id)
    messages.success(http, _thanks(verdict, after))
    return redirect("request-detail", request_id)


def _terms(request: Request) -> dict[str, Any]:
    """What of the form depends on the request."""
    afterwards = request.kind == Request.Kind.AFTERWARDS
    return {"grantable": terms_of(request).grantable, "always_says_why": afterwards}


def seen_of(request: Request) -> str:
    """Which text a page shows: what is approved is what was seen."""
    return f"{request.revision}:{request.digest}"


def _refused(http: HttpRequest, request: Request, form: ReviewForm, refusal: ReviewRefused) -> HttpResponse:
    if refusal.code == "step-up-required":
        return _to_second_factor(http, request, form)
    if refusal.code == "changed-meanwhile":
        return _other_text(http, _fetch(viewer(http), request.pk), form)
    if refusal.code == "invalid":
        form.add_error(None, refusal.message)
        return _detail(http, request, form, status=422)
    messages.error(http, refusal.message)
    return redirect("request-detail", request.pk)


def _other_text(http: HttpRequest, request: Request, form: ReviewForm) -> HttpResponse:
    form.add_error(None, OTHER_TEXT)
    return _detail(http, request, form, status=409)


def _to_second_factor(http: HttpRequest, request: Request, form: ReviewForm) -> HttpResponse:
    """There and back; what was written waits. Nothing is decided by coming back: Approve has to be pressed."""
    drafts.keep(
        http, request.id, {name: value for name, value in form.data.items() if name in form.fields.keys() - NOT_KEPT}
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
    except LedgerUnavailable as error:
        messages.error(http, f"It is not recorded, so it was not withdrawn: {error}. Try again in a moment.")
    else:
        messages.success(http, "Withdrawn. It will not run.")
    return redirect("request-detail", request_id)


@login_required
@require_POST
def request_schedule(http: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Sets, or lifts, the time before which it does not run."""
    person = viewer(http)
    request = _fetch(person, request_id)
    form = ScheduleForm(http.POST)
    if not form.is_valid():
        messages.error(http, f"That is no time: {' '.join(map(str, form.errors['run_at']))}")
        return redirect("request-detail", request_id)
    try:
        after = services.schedule(request.pk, person, form.cleaned_data["run_at"])
    except UnknownRequest:
        raise Http404 from None
    except ReviewRefused as refusal:
        messages.error(http, refusal.message)
    except LedgerUnavailable as error:
        messages.error(http, f"It is not recorded, so its time is as it was: {error}. Try again in a moment.")
    else:
        told = f"not before {after.run_at:%a %d %b %H:%M} UTC" if after.run_at else "as soon as it may"
        messages.success(http, f"Set: it runs {told}.")
    return redirect("request-detail", request_id)


def _thanks(verdict: Verdict, request: Request) -> str:
    if verdict == Verdict.REJECT:
        if request.kind == Request.Kind.AFTERWARDS:
            return "Recorded as not right. Whoever broke the glass is told why."
        return "Rejected. It will not run; whoever asked is told why."
    if request.state == State.PENDING:
        return "Your approval is recorded. It still needs others before it runs."
    match request.kind:
        case Request.Kind.ELEVATION:
            return "Approved. It has begun, and ends by itself."
        case Request.Kind.AFTERWARDS:
            return "Recorded as right. Nothing is left to do."
    if request.carrier == Request.Carrier.CALLER:
        return "Approved. The session that asked may run it now, once."
    if request.not_before is not None and request.not_before > timezone.now():
        return f"Approved. It runs {opening_in_words(request, request.not_before)}."
    return "Approved. A worker runs it now, once, and this page shows how it ends."


def _detail(http: HttpRequest, request: Request, form: ReviewForm, status: int = 200) -> HttpResponse:
    person = viewer(http)
    context: dict[str, Any] = state_of(request, person) | facts_of(request, person)
    context |= {
        "form": form,
        "schedule": ScheduleForm(initial={"run_at": request.run_at}),
        "seen": seen_of(request),
        "step_up": step_up_of(http, request),
        "draft": drafts.kept(http, request.id),
    }
    return render(http, "approvals/request-detail.html", context, status=status)
