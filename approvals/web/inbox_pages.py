"""The inbox: requests that wait for this person, that this person asked, and all."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals.paging import ORDERS, cursor_of, page_of
from approvals.web.inbox import Inbox
from approvals.web.inbox_live import Window, poll_address, seen_now
from approvals.web.inbox_rows import for_rows, rows_of

PAGE_SIZE = 25


@login_required
@require_GET
def request_list(http: HttpRequest) -> HttpResponse:
    inbox = Inbox.of(http)
    asked, order = inbox.asked, ORDERS[inbox.asked.sort]
    page = page_of(for_rows(inbox.listed()), order, size=PAGE_SIZE, after=asked.after, before=asked.before)
    rows = rows_of(page.rows, inbox.person, inbox.waiting)
    window = Window(
        start=cursor_of(page.rows[0], order) if page.previous else "",
        end=cursor_of(page.rows[-1], order) if page.next else "",
        version=seen_now([row.request.pk for row in rows]),
    )
    context = {
        "asked": asked,
        "form": asked.form,
        "tabs": inbox.tabs,
        "chips": asked.chips,
        "clear": asked.address_without_filters(),
        "rows": rows,
        "previous": asked.address(before=page.previous) if page.previous else "",
        "next": asked.address(after=page.next) if page.next else "",
        "waiting_for_you": inbox.counts["mine"],
        "selectable": any(row.decidable for row in rows),
        "poll": poll_address(inbox, window),
    }
    return render(http, "approvals/request-list.html", context)
