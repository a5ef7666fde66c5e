"""Reports: the list of them, one over a period, and its PDF."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from audit import ledger
from audit.exports import service
from audit.exports.errors import ExportProblem, ExportRefused
from audit.exports.reading import Wanted
from audit.reading import ArchiveUnavailable
from audit.reports.asking import Asked, asked_for
from audit.reports.controls import CONTROLS
from audit.reports.making import REPORTS, make_report
from audit.reports.pdf import write_pdf
from audit.reports.periods import PRESETS, PeriodError, zone_named
from audit.reports.scope import scope_of
from audit.reports.sources import ReportError
from audit.search import EntryFilter
from audit.web.report_shapes import page_context
from identity.principals import Principal
from identity.viewer import viewer

AUDITORS = "auditors"
# A PDF of more entries than this is made by a worker, as an export.
MOST_AT_ONCE = 250_000
ZONES = (
    "UTC", "Europe/London", "Europe/Stockholm", "Europe/Berlin", "America/New_York", "America/Chicago",
    "America/Los_Angeles", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney",
)  # fmt: skip
View = Callable[..., HttpResponse]


def may_see_reports(person: Principal) -> bool:
    return person.is_person and (person.is_administrator or AUDITORS in person.groups)


def for_auditors(view: View) -> View:
    @login_required
    @wraps(view)
    def guarded(http: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        if not may_see_reports(viewer(http)):
            raise PermissionDenied("Reports are for group auditors and administrators.")
        return view(http, *arguments, **named)

    return guarded


@require_GET
@for_auditors
def reports(http: HttpRequest) -> HttpResponse:
    known = [
        {"maker": maker, "standards": list(dict.fromkeys(one.framework for one in CONTROLS[name]))}
        for name, maker in REPORTS.items()
    ]
    return render(http, "audit/report-list.html", {"reports": known, "presets": PRESETS})


@require_GET
@for_auditors
def report(http: HttpRequest, name: str) -> HttpResponse:
    if name not in REPORTS:
        raise Http404
    given = http.GET.dict()
    context: dict[str, Any] = {
        "maker": REPORTS[name], "presets": PRESETS, "preset": "", "zones": _zones(given), "report": None, "problem": "",
        "zone": given.get("zone") or "UTC", "since": given.get("since", ""), "until": given.get("until", ""),
    }  # fmt: skip
    try:
        asked = asked_for(given)
        context |= page_context(make_report(name, asked.period, asked.end), given)
    except PeriodError as error:
        return render(http, "audit/report.html", context | {"problem": str(error)}, status=400)
    except (ReportError, ArchiveUnavailable) as error:
        return render(http, "audit/report.html", context | {"problem": str(error)}, status=503)
    return render(http, "audit/report.html", context)


def _zones(given: dict[str, str]) -> list[str]:
    chosen = given.get("zone", "")[:60]
    return [*ZONES, chosen] if chosen and chosen not in ZONES else list(ZONES)


# --- On paper -----------------------------------------------------------------------------------------------------


@require_POST
@for_auditors
def report_pdf(http: HttpRequest, name: str) -> HttpResponse:
    """Taking a report away is an export: policy is asked, and the ledger is told before and after."""
    if name not in REPORTS:
        raise Http404
    person = viewer(http)
    try:
        asked = asked_for(http.POST.dict())
        scope = scope_of(asked.period, asked.end)
        if scope.end - scope.first > MOST_AT_ONCE:
            return _by_a_worker(http, person, name, asked)
        return _pdf(person, name, asked, scope.first, scope.end)
    except ExportRefused as error:
        raise PermissionDenied(str(error)) from error
    except (PeriodError, ExportProblem, ReportError, ArchiveUnavailable) as error:
        messages.error(http, str(error))
        return redirect("ledger-report", name)


def _by_a_worker(http: HttpRequest, person: Principal, name: str, asked: Asked) -> HttpResponse:
    wanted = Wanted(format="pdf", report=name, filter=EntryFilter(since=asked.period.since, until=asked.period.until))
    service.ask(person, wanted, door="web")
    messages.success(http, "The period is long, so a worker makes the PDF. It is under Exports when it is done.")
    return redirect(f"{reverse('ledger')}exports/")


def _pdf(person: Principal, name: str, asked: Asked, first: int, end: int) -> HttpResponse:
    said: dict[str, Any] = {
        "principal": person.label, "door": "web", "export": str(uuid.uuid4()), "format": "pdf", "report": name,
        "first": first, "end": end,
    }  # fmt: skip
    permission = service.decide(person, "web")
    said["policies"] = list(permission.policies)
    if not permission.is_allowed:
        ledger.append("export.refused", **{key: value for key, value in said.items() if key != "export"})
        raise ExportRefused(permission.message, permission.remedy)
    ledger.append("export.requested", **said)
    file = io.BytesIO()
    write_pdf(file, make_report(name, asked.period, end), person.name)
    content = file.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    ledger.append("export.finished", **said, bytes=len(content), sha256=digest, status="done")
    response = HttpResponse(content, content_type="application/pdf")
    since = asked.period.since.astimezone(zone_named(asked.period.zone))
    response["Content-Disposition"] = f'attachment; filename="countersign-{name}-{since:%Y-%m-%d}.pdf"'
    return response
