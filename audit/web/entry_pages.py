"""Finding entries, and one entry with its story."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit import search
from audit.events import KINDS
from audit.models import Entry
from audit.web.forms import EntryFilterForm
from identity.principals import Principal
from identity.sealing import UnsealError
from identity.viewer import viewer

PAGE_SIZE = 50
STORY_LENGTH = 50
AUDITORS = "auditors"


def may_read_payloads(person: Principal) -> bool:
    """Headers hold nothing sensitive and are for every signed-in person; payloads are for auditors and administrators."""
    return person.is_administrator or AUDITORS in person.groups


@login_required
@require_GET
def ledger(http: HttpRequest) -> HttpResponse:
    form = EntryFilterForm(http.GET)
    context: dict[str, Any] = {"form": form, "head": search.current_head(), "entries": []}
    if form.is_valid():
        try:
            context |= _page(form, _index(http, "before"), _index(http, "after"))
        except search.SearchTooBroad as error:
            context["problem"] = str(error)
    status = 200 if form.is_valid() else 400
    return render(http, "audit/ledger.html", context, status=status)


def _page(form: EntryFilterForm, before: int | None, after: int | None) -> dict[str, object]:
    values = form.values()
    found = search.find_entries(form.wanted(), before=before, after=after, limit=PAGE_SIZE)
    kept = urlencode({name: _plain(value) for name, value in values.items()})
    return {
        "entries": [search.entry_json(entry) for entry in found.entries],
        "filtered": bool(values),
        "next": _query(kept, "before", found.next),
        "previous": _query(kept, "after", found.previous),
        "next_label": "Older",
        "previous_label": "Newer",
    }


def _plain(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S") if hasattr(value, "strftime") else str(value)


def _query(kept: str, name: str, index: int | None) -> str:
    return "" if index is None else "&".join(filter(None, (kept, f"{name}={index}")))


def _index(http: HttpRequest, name: str) -> int | None:
    text = http.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@login_required
@require_GET
def ledger_entry(http: HttpRequest, index: int) -> HttpResponse:
    person = viewer(http)
    if index >= 2**63:
        raise Http404
    found = search.find_entries(search.EntryFilter(), before=index + 1, limit=1).entries
    if not found or found[0].index != index:
        raise Http404
    entry = found[0]
    context = {
        "entry": search.entry_json(entry),
        "known": entry.kind in KINDS,
        "header": _pretty(entry.fields),
        "leaf": bytes(entry.leaf).hex(),
        "head": search.current_head(),
        "story": _story(entry.fields.get("query"), entry.fields.get("request")),
        **_payload(person, index),
    }
    return render(http, "audit/ledger-entry.html", context)


def _payload(person: Principal, index: int) -> dict[str, object]:
    if not may_read_payloads(person):
        return {"payload_hidden": True}
    try:
        detail = search.entry_with_payload(index)
    except UnsealError as error:
        return {"payload_problem": str(error)}
    payload = detail.payload if detail else None
    return {"payload": "" if payload is None else _pretty(payload)}


def _pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()


def _story(query: object, request: object) -> list[dict[str, object]]:
    """The entries about the same query and its request, in the order in which they were written."""
    entries: dict[int, Entry] = {}
    if query:
        entries |= _about(search.EntryFilter(query=str(query)))
        request = request or next(
            (entry.fields["request"] for entry in entries.values() if "request" in entry.fields), None
        )
    if request:
        entries |= _about(search.EntryFilter(request=str(request)))
    return [search.entry_json(entries[index]) for index in sorted(entries)]


def _about(wanted: search.EntryFilter) -> dict[int, Entry]:
    return {entry.index: entry for entry in search.find_entries(wanted, limit=STORY_LENGTH).entries}
