"""The inbox: requests that wait for this person, that this person asked, and all."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals import services
from identity.viewer import viewer

PAGE_SIZE = 25
# What waits is shown with what expires first on top; what is over, latest first.
ORDER = {
    "mine": ("expires_at", "id"),
    "waiting": ("expires_at", "id"),
    "decided": ("-created_at", "id"),
    "all": ("-created_at", "id"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    word: str
    count: int = 0


@login_required
@require_GET
def request_list(http: HttpRequest) -> HttpResponse:
    person = viewer(http)
    mine = services.waiting_count(person)
    asked = http.GET.get("show", "")
    show = asked if asked in ORDER else "mine" if mine else "waiting"
    listed = services.list_requests_for(person, show).order_by(*ORDER[show])
    page = Paginator(listed, PAGE_SIZE).get_page(http.GET.get("page"))
    tabs = [Tab("mine", "For you", mine), Tab("waiting", "Waiting"), Tab("decided", "Decided"), Tab("all", "All")]
    context = {
        "tabs": tabs,
        "show": show,
        "page": page,
        "previous": f"show={show}&page={page.previous_page_number()}" if page.has_previous() else "",
        "next": f"show={show}&page={page.next_page_number()}" if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
    }
    return render(http, "approvals/request-list.html", context)
