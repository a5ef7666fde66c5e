"""The page of forwarders: auditors see how far each is, administrators change them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from audit.auditors import may_audit
from audit.forwarding import administration
from audit.forwarding.administration import Added
from audit.forwarding.errors import ForwarderRefused
from audit.forwarding.health import Health, health_of
from audit.ledger import LedgerUnavailable
from audit.models import Forwarder, Head
from audit.web.forwarder_forms import ForwarderForm
from identity.principals import Principal
from identity.viewer import viewer

UNRECORDED = "The change cannot be recorded, so it was not made"


@login_required
@require_GET
def forwarders(http: HttpRequest) -> HttpResponse:
    if not may_audit(viewer(http)):
        raise PermissionDenied("Forwarders are shown to auditors (group auditors) and administrators.")
    return _page(http, ForwarderForm())


@login_required
@require_POST
@never_cache
def forwarder_add(http: HttpRequest) -> HttpResponse:
    person = _administrator(http)
    form = ForwarderForm(http.POST)
    status = 422
    if form.is_valid():
        try:
            added = administration.add(**form.values(), actor=person.label)
        except ForwarderRefused as error:
            form.refuse(error.field, error.message)
        except LedgerUnavailable as error:
            form.add_error(None, f"{UNRECORDED}: {error}. Send it again in a moment.")
            status = 503
        else:
            messages.success(http, f"{added.forwarder.name} sends entries from {added.forwarder.next} on.")
            return _with_secret(http, added)
    return _page(http, form, status=status)


@login_required
@require_POST
def forwarder_switch(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    active = http.POST.get("active") == "yes"
    said = f"{name} goes on where it stopped." if active else f"{name} is paused."
    return _change(http, lambda: administration.switch(name, active=active, actor=person.label), said)


@login_required
@require_POST
@never_cache
def forwarder_secret(http: HttpRequest, name: str) -> HttpResponse:
    """A new one, shown once; or only the newest one from now on."""
    person = _administrator(http)
    if http.POST.get("drop") == "yes":
        said = f"{name} signs with its newest secret only."
        return _change(http, lambda: administration.drop_previous_secret(name, actor=person.label), said)
    try:
        changed = administration.change_secret(name, actor=person.label)
    except ForwarderRefused as error:
        messages.error(http, error.message)
    except LedgerUnavailable as error:
        messages.error(http, f"{UNRECORDED}: {error}. Send it again in a moment.")
    else:
        messages.success(http, f"{name} signs with the new secret and with the one before.")
        return _with_secret(http, changed)
    return redirect("forwarders")


@login_required
@require_POST
def forwarder_remove(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    said = f"{name} was removed. What it has sent stays where it is."
    return _change(http, lambda: administration.remove(name, actor=person.label), said)


def _administrator(http: HttpRequest) -> Principal:
    person = viewer(http)
    if not person.is_administrator:
        raise PermissionDenied("Forwarders are changed by administrators. Auditors may see them.")
    return person


def _change(http: HttpRequest, change: Callable[[], object], said: str) -> HttpResponse:
    try:
        change()
    except ForwarderRefused as error:
        messages.error(http, error.message)
    except LedgerUnavailable as error:
        messages.error(http, f"{UNRECORDED}: {error}. Send it again in a moment.")
    else:
        messages.success(http, said)
    return redirect("forwarders")


def _with_secret(http: HttpRequest, added: Added) -> HttpResponse:
    """Answered at once and kept nowhere: a secret that waited in the session for the next page would be stored plain."""
    return _page(http, ForwarderForm(), added=added) if added.secret else redirect("forwarders")


def _page(http: HttpRequest, form: ForwarderForm, *, status: int = 200, added: Added | None = None) -> HttpResponse:
    rows = [_row(one) for one in administration.listed()]
    context = {
        "form": form,
        "rows": rows,
        "size": Head.objects.values_list("size", flat=True).first() or 0,
        "added": added,
        "waiting": max((health.lag for _, health, _ in rows), default=0),
        "failing": sum(health.state == "failing" for _, health, _ in rows),
    }
    return render(http, "audit/forwarders.html", context, status=status)


def _row(forwarder: Forwarder) -> tuple[Forwarder, Health, int]:
    health = health_of(forwarder)
    return forwarder, health, len((health.config or {}).get("secrets", []))
