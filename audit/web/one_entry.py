"""One entry: what it says, the statement's story around it, its payload for auditors, and its proof."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit import ledger, search
from audit.events import KINDS
from audit.models import Entry
from audit.reading import entry_at, payload_of
from audit.retention.archive_files import ArchiveUnavailable
from audit.search.archives import archived_before
from audit.transparency import checkpoints, serving
from audit.transparency.keys import KeyUnusable
from audit.transparency.tiles import LogDamaged, NotInLog
from audit.web.entry_pages import may_read_payloads
from audit.web.story import story_of
from identity.principals import Principal
from identity.sealing import UnsealError
from identity.viewer import viewer

logger = logging.getLogger(__name__)

# Looking again within this time is the same look.
ONE_LOOK = timedelta(minutes=10)
MOST_LOOKS = 500
NOT_RECORDED = "That it was opened could not be recorded, so it stays closed. Try again shortly."


def _told_where_archives_fail(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An entry that cannot be read is not one that does not exist: that would look as if it had never been."""

    @wraps(view)
    def told(http: HttpRequest, index: int) -> HttpResponse:
        try:
            return view(http, index)
        except ArchiveUnavailable as error:
            context = {"index": index, "problem": str(error)}
            return render(http, "audit/ledger-entry-away.html", context, status=503)

    return told


@login_required
@require_GET
@_told_where_archives_fail
def ledger_entry(http: HttpRequest, index: int) -> HttpResponse:
    return _page(http, _fetch(index))


@login_required
@require_POST
@_told_where_archives_fail
def ledger_payload(http: HttpRequest, index: int) -> HttpResponse:
    """The same page with the payload open. A POST, because it leaves an entry."""
    person, entry = viewer(http), _fetch(index)
    if not may_read_payloads(person):
        return _page(http, entry, status=403)
    try:
        record_look(person, index)
    except ledger.LedgerUnavailable:
        return _page(http, entry, {"payload_problem": NOT_RECORDED}, status=503)
    return _page(http, entry, _payload(index))


@login_required
@require_GET
@_told_where_archives_fail
def ledger_proof(http: HttpRequest, index: int) -> HttpResponse:
    """The proof as a file, as docs/verify-by-hand.md checks it."""
    entry = _fetch(index)
    proof = _proof(index)
    if "proof" not in proof:
        return HttpResponse(proof["proof_problem"], content_type="text/plain; charset=utf-8", status=503)
    content = {**proof["proof"], "header": bytes(entry.header).decode()}
    name = f'attachment; filename="entry-{index}-proof.json"'
    return HttpResponse(_pretty(content), content_type="application/json", headers={"Content-Disposition": name})


def _page(http: HttpRequest, entry: Entry, payload: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    shown = search.entry_json(entry)
    context = {
        "entry": shown,
        "known": entry.kind in KINDS,
        "header": bytes(entry.header).decode(errors="replace") if shown.get("unreadable") else _pretty(entry.fields),
        "leaf": bytes(entry.leaf).hex(),
        "head": search.current_head(),
        "archived": entry.index < archived_before(),
        "story": story_of(shown),
        "may_open": may_read_payloads(viewer(http)),
        "has_payload": "payload_digest" in shown,
        **(payload or {}),
        **_proof(entry.index),
    }
    return render(http, "audit/ledger-entry.html", context, status=status)


def _fetch(index: int) -> Entry:
    entry = search.fetch_entry(index) if index < 2**63 else None
    if entry is None:
        raise Http404
    return entry


# --- Payload ------------------------------------------------------------------------------------------------------


def record_look(person: Principal, index: int) -> None:
    """Raises `LedgerUnavailable`; then the payload is not shown."""
    since = timezone.now() - ONE_LOOK
    looks = search.EntryFilter(kind="payload.read", actor=person.label, since=since)
    recent = search.find_entries(looks, limit=MOST_LOOKS).entries
    if not any(look.fields.get("entry") == index for look in recent):
        ledger.append("payload.read", actor=person.label, entry=index)


def _payload(index: int) -> dict[str, Any]:
    try:
        stored = entry_at(index, with_payload=True)
        payload = None if stored is None else payload_of(stored)
    except (UnsealError, ArchiveUnavailable) as error:
        return {"payload_problem": str(error)}
    return {"payload": "" if payload is None else _pretty(payload)}


# --- Proof --------------------------------------------------------------------------------------------------------


def _proof(index: int) -> dict[str, Any]:
    """The page is there without it: what cannot be proved now is said in its place."""
    try:
        found = serving.signed_inclusion(index)
    except (NotInLog, LogDamaged, KeyUnusable, checkpoints.HistoryDiffers, ArchiveUnavailable) as error:
        logger.warning("no proof of entry %d: %s", index, error)
        return {"proof_problem": str(error)}
    proof, checkpoint = found.proof, found.checkpoint
    shown = {
        "index": proof.index,
        "size": proof.size,
        "leaf": proof.leaf.hex(),
        "root": proof.root.hex(),
        "proof": [one.hex() for one in proof.hashes],
        "checkpoint": checkpoints.note_of(checkpoint) if checkpoint else None,
    }
    return {"proof": shown, "proof_text": _pretty(shown), "cosignatures": checkpoint.cosignatures if checkpoint else []}


def _pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
