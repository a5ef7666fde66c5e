"""Pages of standing permissions: what stands, one of them, asking for an elevation, breaking the glass."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.grants import services as grants
from approvals.grants.errors import UnknownGrant
from approvals.grants.listing import WHICH, listed
from approvals.models import Grant
from approvals.web.grant_forms import BreakGlassForm, ElevationForm, EndForm, GrantFilterForm, NarrowForm
from approvals.web.grant_words import shown, steps_of
from audit.ledger import LedgerUnavailable
from governance.errors import GatewayError
from identity.principals import Principal
from identity.viewer import viewer

PAGE_SIZE = 25
MOST_USES = 100
TABS = (("standing", "Standing"), ("mine", "Mine"), ("ended", "Ended"), ("all", "All"))


@login_required
@require_GET
def grant_list(http: HttpRequest) -> HttpResponse:
    person, which = viewer(http), http.GET.get("show", "standing")
    which = which if which in WHICH else "standing"
    form = GrantFilterForm(http.GET)
    found = listed(person, form.wanted(which))
    page = Paginator(found, PAGE_SIZE).get_page(http.GET.get("page"))
    kept = {name: str(value) for name, value in http.GET.items() if name in form.fields and value}
    following = {"show": which, **kept}
    context = {
        "tabs": TABS,
        "show": which,
        "form": form,
        "filtered": bool(kept),
        "kept": urlencode(kept),
        "page": page,
        "rows": [shown(grant) for grant in page.object_list],
        "previous": _page(following, page.previous_page_number()) if page.has_previous() else "",
        "next": _page(following, page.next_page_number()) if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
    }
    return render(http, "approvals/grant-list.html", context)


def _page(kept: dict[str, str], number: int) -> str:
    return urlencode({**kept, "page": number})


@login_required
@require_GET
def grant_detail(http: HttpRequest, grant_id: uuid.UUID) -> HttpResponse:
    grant = _fetch(viewer(http), grant_id)
    return _detail(http, grant, NarrowForm(grant), EndForm())


@login_required
@require_POST
def grant_narrow(http: HttpRequest, grant_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    grant = _fetch(person, grant_id)
    form = NarrowForm(grant, http.POST)
    if not form.is_valid() or not _done(form, lambda: grants.narrow(grant_id, person, **form.changes())):
        return _detail(http, grant, form, EndForm(), status=422)
    messages.success(http, "Cut down. It holds from now on.")
    return redirect("grant-detail", grant_id)


@login_required
@require_POST
def grant_revoke(http: HttpRequest, grant_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    grant = _fetch(person, grant_id)
    form = EndForm(http.POST)
    if not form.is_valid() or not _done(form, lambda: grants.revoke(grant_id, person, form.cleaned_data["comment"])):
        return _detail(http, grant, NarrowForm(grant), form, status=422)
    messages.success(http, "Ended. Nothing runs under it any more, and what was running is broken off.")
    return redirect("grant-detail", grant_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def grant_elevation(http: HttpRequest) -> HttpResponse:
    person = viewer(http)
    form = ElevationForm(person, http.POST if http.method == "POST" else None, initial=_initial(http))
    found: list[grants.Elevated] = []

    def ask() -> None:
        given = form.cleaned_data
        found.append(
            grants.request_elevation(
                person, given["datasource"], given["group"], minutes=given["minutes"], reason=given["reason"],
                agent=given["agent"], door="web",
            )
        )  # fmt: skip

    if http.method != "POST":
        return render(http, "approvals/grant-elevation.html", {"form": form})
    if not form.is_valid() or not _done(form, ask):
        return render(http, "approvals/grant-elevation.html", {"form": form}, status=422)
    if found[0].grant is not None:
        messages.success(http, "Given at once: policy asks nobody first.")
        return redirect("grant-detail", found[0].grant.pk)
    assert found[0].request is not None  # noqa: S101  one of the two
    messages.success(http, "Asked. It waits for people; this page shows what they say.")
    return redirect("request-detail", found[0].request.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def grant_break_glass(http: HttpRequest) -> HttpResponse:
    person = viewer(http)
    form = BreakGlassForm(person, http.POST if http.method == "POST" else None, initial=_initial(http))
    found: list[Grant] = []

    def take() -> None:
        given = form.cleaned_data
        found.append(
            grants.break_glass(
                person,
                given["datasource"],
                reason=given["reason"],
                minutes=given["minutes"],
                runs=given["runs"],
                door="web",
            )
        )

    if http.method != "POST":
        return render(http, "approvals/grant-glass.html", {"form": form})
    if not form.is_valid() or not _done(form, take):
        return render(http, "approvals/grant-glass.html", {"form": form}, status=422)
    messages.warning(
        http, "The glass is broken. End it as soon as you are done: the shorter, the less there is to explain."
    )
    return redirect("grant-detail", found[0].pk)


# --- Shared -------------------------------------------------------------------------------------------------------


def _initial(http: HttpRequest) -> dict[str, Any]:
    return {"datasource": http.GET.get("datasource", "")}


def _fetch(person: Principal, grant_id: uuid.UUID) -> Grant:
    try:
        return grants.fetch_grant_for(person, grant_id)
    except UnknownGrant:
        raise Http404 from None


def _done(form: Form, act: Callable[[], object]) -> bool:
    """Whether it was done; else the form says why not."""
    try:
        act()
    except GatewayError as error:
        form.add_error(None, f"{error.message} {error.remedy}".strip())
    except LedgerUnavailable as error:
        form.add_error(None, f"It cannot be recorded, so it was not done: {error}. Send it again in a moment.")
    return not form.errors


def _detail(http: HttpRequest, grant: Grant, narrow: NarrowForm, end: EndForm, status: int = 200) -> HttpResponse:
    person, one = viewer(http), shown(grant)
    uses = list(grant.used.all()[: MOST_USES + 1])
    context = {
        "one": one,
        "grant": grant,
        "narrow": narrow,
        "end": end,
        "givers": grants.approvers_of(grant),
        "uses": uses[:MOST_USES],
        "more_uses": max(0, grant.uses - MOST_USES),
        "steps": steps_of(grant),
        "afterwards": grant.reviews_afterwards.first() if grant.kind == Grant.Kind.BREAK_GLASS else None,
        "may_cut": one.stands and grants.may_cut(grant, person),
        "may_end": grant.revoked_at is None and one.stands and grants.may_end(grant, person),
        "holds": grant.principal == person.label,
    }
    return render(http, "approvals/grant-detail.html", context, status=status)
