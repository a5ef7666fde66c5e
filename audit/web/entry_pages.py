"""Finding entries: filters, what is found at a glance, page by page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit import search
from audit.retention.archive_files import ArchiveUnavailable
from audit.search.archives import archived_before
from audit.search.saving import searches_for
from audit.web import narrowing
from audit.web.forms import SPANS, EntryFilterForm, SavedSearchForm
from audit.web.histogram import histogram
from identity.models import User
from identity.principals import Principal
from identity.viewer import viewer

PAGE_SIZE = 50
AUDITORS = "auditors"
SPAN_WORDS = {name: word for name, (word, _) in SPANS.items()}


def may_read_payloads(person: Principal) -> bool:
    """Headers hold nothing sensitive and are for every signed-in person; payloads are for auditors and administrators."""
    return person.is_administrator or AUDITORS in person.groups


@login_required
@require_GET
def ledger(http: HttpRequest) -> HttpResponse:
    form = EntryFilterForm(http.GET)
    valid = form.is_valid()
    pairs = form.pairs() if valid else []
    context: dict[str, Any] = {
        "form": form,
        "head": search.current_head(),
        "entries": [],
        "filtered": bool(pairs),
        "may_open": may_read_payloads(viewer(http)),
        "chips": narrowing.chips(pairs, SPAN_WORDS),
        "spans": narrowing.within_spans(pairs, SPAN_WORDS),
        **_saved(http, pairs),
    }
    if valid:
        context |= _found(http, form.wanted(), pairs)
    return render(http, "audit/ledger.html", context, status=200 if valid else 400)


def _found(http: HttpRequest, wanted: search.EntryFilter, pairs: narrowing.Pairs) -> dict[str, object]:
    before, after = _index(http, "before"), _index(http, "after")
    try:
        page = search.find_entries(wanted, before=before, after=after, limit=PAGE_SIZE)
    except search.SearchTooBroad as error:
        return {"problem": str(error), "problem_title": "Too broad"}
    except ArchiveUnavailable as error:
        return {"problem": str(error), "problem_title": "An archive cannot be read"}
    return {
        "entries": [search.entry_json(entry) for entry in page.entries],
        "behind": page.behind,
        "archived": page.archived,
        "next": narrowing.paged(pairs, "before", page.next),
        "previous": narrowing.paged(pairs, "after", page.previous),
        "next_label": "Older",
        "previous_label": "Newer",
        **_glance(wanted, pairs),
    }


def _glance(wanted: search.EntryFilter, pairs: narrowing.Pairs) -> dict[str, object]:
    """Counting more than a page is given up before it makes the page slow; the entries are there all the same."""
    try:
        found = search.overview(wanted)
    except search.SearchTooBroad:
        return {"uncounted": True}
    return {
        "overview": found,
        "some_archived": archived_before() > 0,
        "facets": narrowing.facets(found, pairs),
        "histogram": histogram(found.bars, lambda start, end: narrowing.with_time(pairs, start, end)),
    }


def _saved(http: HttpRequest, pairs: narrowing.Pairs) -> dict[str, object]:
    assert isinstance(http.user, User)  # noqa: S101  narrows the type; behind login_required
    query = urlencode(pairs)
    saved = list(searches_for(http.user))
    return {
        "query": query,
        "saved": saved,
        "current": next((one for one in saved if one.query == query), None) if query else None,
        "save_form": SavedSearchForm(auto_id="save_%s"),
    }


def _index(http: HttpRequest, name: str) -> int | None:
    text = http.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
