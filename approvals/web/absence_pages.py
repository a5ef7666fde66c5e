"""The page of absences: who is away, who speaks for whom, and being away oneself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from approvals import absences
from approvals.absences import AbsenceRefused, UnknownAbsence
from approvals.models import Absence
from approvals.web.absence_forms import AbsenceForm
from audit.ledger import LedgerUnavailable
from identity.models import User
from identity.principals import Principal
from identity.viewer import viewer

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Row:
    """`state`: coming, away, back (early) or over. `why`: empty for whom it is not."""

    absence: Absence
    state: str
    why: str
    may_end: bool


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def absence_list(http: HttpRequest) -> HttpResponse:
    person = viewer(http)
    if http.method != "POST":
        return _page(http, person, AbsenceForm(person))
    form = AbsenceForm(person, http.POST)
    if not form.is_valid():
        return _page(http, person, form, 422)
    try:
        absence = _set(person, form)
    except AbsenceRefused as refusal:
        form.refuse(refusal)
        return _page(http, person, form, 422)
    except LedgerUnavailable as error:
        form.add_error(None, f"It is not recorded, so it does not hold: {error}. Send it again in a moment.")
        return _page(http, person, form, 503)
    messages.success(http, f"Set. {absence.delegate} speaks for {_named(absence, person)} while it lasts.")
    return redirect("absences")


def _set(person: Principal, form: AbsenceForm) -> Absence:
    values = form.cleaned_data
    return absences.set_absence(
        person,
        User.objects.get(username=values["person"]),
        User.objects.get(username=values["delegate"]),
        starts_at=values["starts_at"],
        ends_at=values["ends_at"],
        reason=values["reason"],
    )


def _named(absence: Absence, person: Principal) -> str:
    return "you" if absence.person_id == person.id else str(absence.person)


@login_required
@require_POST
def absence_end(http: HttpRequest, absence_id: uuid.UUID) -> HttpResponse:
    try:
        absences.end_absence(viewer(http), absence_id)
    except UnknownAbsence:
        raise Http404 from None
    except AbsenceRefused as refusal:
        messages.error(http, refusal.message)
    except LedgerUnavailable as error:
        messages.error(http, f"It is not recorded, so it is as it was: {error}. Try again in a moment.")
    else:
        messages.success(http, "Ended. From now on nobody speaks in this person's place.")
    return redirect("absences")


def _page(http: HttpRequest, person: Principal, form: AbsenceForm, status: int = 200) -> HttpResponse:
    listed = absences.absences_for(person).order_by("-ends_at", "-starts_at", "id")
    page = Paginator(listed, PAGE_SIZE).get_page(http.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": [_row(absence, person) for absence in page.object_list],
        "spoken_for": absences.standing_in_for(person.id),
        "spokespeople": absences.spokespeople_of(person.id),
        "previous": f"page={page.previous_page_number()}" if page.has_previous() else "",
        "next": f"page={page.next_page_number()}" if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
    }
    return render(http, "approvals/absences.html", context, status=status)


def _row(absence: Absence, person: Principal) -> Row:
    now = timezone.now()
    if absence.ended_at is not None:
        state = "back"
    elif absence.ends_at <= now:
        state = "over"
    else:
        state = "away" if absence.starts_at <= now else "coming"
    may_end = state in ("away", "coming") and absences.may_end(absence, person)
    return Row(absence, state, absence.reason if absences.may_know_why(absence, person) else "", may_end)
