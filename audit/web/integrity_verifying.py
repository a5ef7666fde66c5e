"""Verifying the ledger from its page: asking for it, watching it, what the last one found."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from audit.auditors import may_audit
from audit.evidence.bundle import verifier_digest
from audit.models import Head
from audit.retention.archive_files import ArchiveUnavailable
from audit.search import SearchTooBroad
from audit.verification.recorded import last_recorded
from audit.verification.recording import SILENT_SECONDS, ask_to_verify, standing
from identity.principals import Principal
from identity.viewer import viewer


@login_required
@require_POST
def verify_now(http: HttpRequest) -> HttpResponse:
    if ask_to_verify(_auditor(http).label):
        messages.success(http, "A worker recomputes every entry. What it finds becomes an entry itself.")
    else:
        messages.error(http, "The broker (Redis) does not answer, so no worker can verify. Try again shortly.")
    return redirect(f"{reverse('integrity')}#verification")


@login_required
@require_GET
def verification(http: HttpRequest) -> HttpResponse:
    """The part of the page that changes while a verification is under way."""
    _auditor(http)
    if not http.headers.get("HX-Request"):
        return redirect(f"{reverse('integrity')}#verification")
    size = Head.objects.values_list("size", flat=True).first() or 0
    return render(http, "audit/_integrity_verified.html", {"size": size, **verification_context()})


def verification_context() -> dict[str, Any]:
    return {
        "under": standing(),
        "silent_minutes": SILENT_SECONDS // 60,
        "verifier_digest": verifier_digest(),
        **_last(),
    }


def _last() -> dict[str, Any]:
    try:
        return {"verified": last_recorded()}
    except (ArchiveUnavailable, SearchTooBroad) as error:
        return {"verified": None, "verified_problem": str(error)}


def _auditor(http: HttpRequest) -> Principal:
    person = viewer(http)
    if not may_audit(person):
        raise PermissionDenied("Verifications are asked for by auditors (group auditors) and administrators.")
    return person
