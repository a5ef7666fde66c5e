"""Pages of queries: own ones, those of own agents; administrators and auditors see all."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from approvals.errors import ReviewRefused
from audit import search
from gateway.models import END_STATES, Door, Query
from gateway.queries import UnknownQuery, cancel, fetch_query_for, list_queries_for, may_read_result, problem_for
from gateway.recording import record_reading
from gateway.web.forms import QueryFilterForm
from gateway.web.result_table import result_table
from governance.errors import GatewayError
from identity.principals import Principal
from identity.viewer import viewer

PAGE_SIZE = 25
MOST_ENTRIES = 100


@login_required
@require_GET
def query_list(http: HttpRequest) -> HttpResponse:
    form = QueryFilterForm(http.GET)
    values = form.values() if form.is_valid() else {}
    listed = _filtered(list_queries_for(viewer(http)), values)
    page = Paginator(listed, PAGE_SIZE).get_page(http.GET.get("page"))
    kept = urlencode(values)
    context = {
        "form": form,
        "page": page,
        "filtered": bool(values),
        "previous": _page_query(kept, page.previous_page_number()) if page.has_previous() else "",
        "next": _page_query(kept, page.next_page_number()) if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
    }
    return render(http, "web/query-list.html", context, status=200 if form.is_valid() else 400)


def _filtered(queries: QuerySet[Query], values: dict[str, str]) -> QuerySet[Query]:
    columns = {"state": "state", "datasource": "datasource__name", "principal": "requester"}
    return queries.filter(**{columns[name]: value for name, value in values.items()}).order_by("-created_at", "id")


def _page_query(kept: str, number: int) -> str:
    return "&".join(filter(None, (kept, f"page={number}")))


@login_required
@require_GET
def query_detail(http: HttpRequest, query_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    query = _fetch(person, query_id)
    context = query_context(http, query)
    if context["table"] is not None:
        try:
            record_reading(person, query, Door.WEB, len(context["table"].rows))
        except GatewayError as refusal:
            context["table"] = None
            messages.error(http, refusal.message)
    return render(http, "web/query-detail.html", context)


def _fetch(person: Principal, query_id: uuid.UUID) -> Query:
    try:
        return fetch_query_for(person, query_id)
    except UnknownQuery:
        raise Http404 from None


@login_required
@require_POST
def query_cancel(http: HttpRequest, query_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    query = _fetch(person, query_id)
    try:
        cancel(person, query)
    except (GatewayError, ReviewRefused) as refusal:
        messages.error(http, refusal.message)
    else:
        messages.success(http, "Cancelled: what runs is broken off, what waits is withdrawn.")
    return redirect("query-detail", query_id)


def query_context(http: HttpRequest, query: Query) -> dict[str, Any]:
    """What the card of a query needs, on its own page and on the run page."""
    found = search.find_entries(search.EntryFilter(query=str(query.pk)), limit=MOST_ENTRIES)
    readable = may_read_result(viewer(http), query)
    # On the row in memory, which is only shown from here on.
    query.problem = problem_for(viewer(http), query)
    return {
        "query": query,
        "is_open": query.state not in END_STATES,
        "readable": readable,
        "table": result_table(query, http.GET.get("rows", "1")) if readable else None,
        "story": [search.entry_json(entry) for entry in reversed(found.entries)],
    }
