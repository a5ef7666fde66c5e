"""The page that shows whether the ledger is what it was, and who outside could tell: auditors read, administrators change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.auditors import may_audit
from audit.ledger import LedgerUnavailable
from audit.models import Archive, Checkpoint, Head, SubjectKey, Witness
from audit.retention import archives as retention
from audit.transparency import checkpoints, keys, witnesses
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.keys import KeyUnusable, PublishedKey
from audit.transparency.notes import NoteError
from audit.transparency.tasks import ask_to_publish
from audit.transparency.tiles import LogDamaged
from audit.transparency.witnesses import WitnessRefused
from audit.web.integrity_forms import RotateForm, WitnessForm
from audit.web.integrity_verifying import verification_context
from identity.principals import Principal
from identity.viewer import viewer

MOST_LISTED = 50
UNRECORDED = "The change cannot be recorded, so it was not made"


@login_required
@require_GET
def integrity(http: HttpRequest) -> HttpResponse:
    if not may_audit(viewer(http)):
        raise PermissionDenied("The integrity of the ledger is shown to auditors (group auditors) and administrators.")
    return _page(http, WitnessForm())


@login_required
@require_POST
def witness_add(http: HttpRequest) -> HttpResponse:
    person = _administrator(http)
    form = WitnessForm(http.POST)
    status = 422
    if form.is_valid():
        try:
            added = witnesses.add(**form.values(), actor=person.label)
        except WitnessRefused as error:
            form.refuse(error.field, error.message)
        except LedgerUnavailable as error:
            form.add_error(None, f"{UNRECORDED}: {error}. Send it again in a moment.")
            status = 503
        else:
            messages.success(http, f"{added.name} is given the next checkpoint.")
            return redirect("integrity")
    return _page(http, form, status=status)


@login_required
@require_POST
def witness_switch(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    active = http.POST.get("active") == "yes"
    said = f"{name} gets checkpoints again." if active else f"{name} gets no more checkpoints."
    return _change(http, lambda: witnesses.switch(name, active=active, actor=person.label), said)


@login_required
@require_POST
def witness_remove(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    return _change(
        http, lambda: witnesses.remove(name, actor=person.label), f"{name} was removed. What it keeps stays there."
    )


@login_required
@require_POST
def checkpoint_publish(http: HttpRequest) -> HttpResponse:
    _administrator(http)
    if ask_to_publish():
        messages.success(http, "A worker signs the log and asks every witness. Load the page again in a moment.")
    else:
        messages.error(http, "The broker (Redis) does not answer, so no worker can publish. Try again shortly.")
    return redirect("integrity")


@login_required
@require_POST
def key_rotate(http: HttpRequest) -> HttpResponse:
    person = _administrator(http)
    form = RotateForm(http.POST)
    if not form.is_valid():
        messages.error(http, f"The key was not rotated: the reason has more than {keys.LONGEST_REASON} characters.")
        return redirect("integrity")
    reason = form.cleaned_data["reason"]
    said = "Another key signs from now on. Tell its verifier key to those who verify."
    return _change(http, lambda: keys.rotate(person.label, reason), said)


def _administrator(http: HttpRequest) -> Principal:
    person = viewer(http)
    if not person.is_administrator:
        raise PermissionDenied("Witnesses and keys of the ledger are changed by administrators. Auditors may see them.")
    return person


def _change(http: HttpRequest, change: Callable[[], object], said: str) -> HttpResponse:
    try:
        change()
    except WitnessRefused as error:
        messages.error(http, error.message)
    except LedgerUnavailable as error:
        messages.error(http, f"{UNRECORDED}: {error}. Send it again in a moment.")
    else:
        messages.success(http, said)
    return redirect("integrity")


def _page(http: HttpRequest, form: WitnessForm, status: int = 200) -> HttpResponse:
    newest = Checkpoint.objects.order_by("-size").first()
    known = list(Witness.objects.all())
    active = [one for one in known if one.is_active]
    context = {
        "form": form,
        "rotate_form": RotateForm(),
        "problem": _problem(),
        "key_problem": _key_problem(),
        "size": Head.objects.values_list("size", flat=True).first() or 0,
        "checkpoint": newest,
        "note": checkpoints.note_of(newest) if newest else "",
        "root": bytes(newest.root).hex() if newest else "",
        "witnesses": known,
        "active": len(active),
        "reached": sum(newest is not None and one.size >= newest.size for one in active),
        "keys": _keys(),
        **verification_context(),
        **_moved_and_erased(),
    }
    return render(http, "audit/integrity.html", context, status=status)


def _problem() -> str:
    """Asked each time, not remembered: what the page says is so now."""
    try:
        checkpoints.check_head()
    except (HistoryDiffers, LogDamaged) as error:
        return str(error).rstrip(".")
    return ""


def _key_problem() -> str:
    try:
        keys.check_key()
    except KeyUnusable as error:
        return str(error)
    return ""


def _keys() -> list[PublishedKey]:
    """None where a row of theirs is not a key any more: the problem with it is told above."""
    try:
        return keys.published_keys()
    except NoteError:
        return []


def _moved_and_erased() -> dict[str, Any]:
    erased = SubjectKey.objects.filter(erased_at__isnull=False).order_by("-erased_at")
    unfinished = SubjectKey.objects.filter(retired_at__isnull=False, erased_at__isnull=True)
    archives = Archive.objects.order_by("-first")
    return {
        "retention": retention.standing(),
        "hold": retention.hold(),
        "unfinished": unfinished.order_by("subject").values_list("subject", flat=True).distinct()[:MOST_LISTED],
        "archives": archives[:MOST_LISTED],
        "archive_count": archives.count(),
        "erasures": erased[:MOST_LISTED],
        "erasure_count": erased.count(),
    }
