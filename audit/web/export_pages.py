"""Exports: asking for one from a search, watching it being made, taking it away."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.exports import service
from audit.exports.errors import ExportProblem, UnknownExport
from audit.exports.formats import FORMATS
from audit.exports.output import estimated_rows, percent
from audit.exports.reading import Wanted, filter_of
from audit.exports.serving import file_response
from audit.models import Export
from audit.reports.making import REPORTS
from audit.web.forms import EntryFilterForm
from identity.principals import Principal
from identity.viewer import viewer

DOOR = "web"
PAGE_SIZE = 25
ABOUT = {
    "csv": "For spreadsheets. One row an entry; no cell is taken for a formula.",
    "ndjson": "For programs. One JSON object a line, as REST shows entries.",
    "parquet": "For analysis. Typed columns, compressed.",
    "ocsf": "For a SIEM. One event of the Open Cybersecurity Schema Framework a line.",
    "pdf": "For people. One of the reports, over the period of the search.",
    "bundle": "For proof. Entries with what proves them, and a verifier that needs nothing of ours.",
}


class Look(NamedTuple):
    word: str
    icon: str
    tone: str = "neutral"


LOOKS = {
    "queued": Look("Waiting", "clock"),
    "running": Look("Being made", "play", "accent"),
    "done": Look("Ready", "allow", "allow"),
    "failed": Look("Failed", "failed", "deny"),
    "cancelled": Look("Cancelled", "cancel"),
    "expired": Look("Expired", "clock"),
}


class ExportForm(forms.Form):
    """What is to be made; which entries, the address says."""

    format = forms.ChoiceField(
        choices=[(name, form.title) for name, form in FORMATS.items()], widget=forms.RadioSelect, initial="csv"
    )
    report = forms.ChoiceField(required=False, help_text="For a PDF only.")
    payloads = forms.BooleanField(
        required=False,
        label="With exact statements and parameters, which are kept encrypted",
        help_text="NDJSON and evidence bundles only. That they were included is recorded.",
    )

    def __init__(self, *arguments: Any, with_payloads: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        reports = [(name, maker.title) for name, maker in REPORTS.items()]
        self.fields["report"].choices = [("", "None"), *reports]  # type: ignore[attr-defined]
        if not with_payloads:
            del self.fields["payloads"]


# --- Pages --------------------------------------------------------------------------------------------------------


@login_required
@require_GET
def exports(http: HttpRequest) -> HttpResponse:
    person = _permitted(http)
    page = Paginator(service.list_for(person), PAGE_SIZE).get_page(http.GET.get("page"))
    rows = [_row(export) for export in page.object_list]
    context = {
        "rows": rows,
        "is_open": any(row["is_open"] for row in rows),
        "shows_all": person.is_administrator,
        "page": page,
        "previous": f"page={page.previous_page_number()}" if page.has_previous() else "",
        "next": f"page={page.next_page_number()}" if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
    }
    return render(http, "audit/exports.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def export_new(http: HttpRequest) -> HttpResponse:
    person = _permitted(http)
    search = EntryFilterForm(http.GET)
    initial = {name: http.GET.get(name, "") for name in ("format", "report") if http.GET.get(name)}
    form = ExportForm(http.POST or None, initial=initial, with_payloads=service.may_include_payloads(person))
    if not search.is_valid():
        return _new(http, form, search, "The search cannot be read. Go back to the ledger and search again.", 400)
    if http.method == "GET":
        return _new(http, form, search)
    if not form.is_valid():
        return _new(http, form, search, status=400)
    try:
        service.ask(person, _wanted(form, search), door=DOOR)
    except ExportProblem as error:
        return _new(http, form, search, str(error), error.status)
    messages.success(http, "Asked for. It is made in the background; the file can be downloaded here once it is ready.")
    return redirect("exports")


def _new(
    http: HttpRequest, form: ExportForm, search: EntryFilterForm, problem: str = "", status: int = 200
) -> HttpResponse:
    pairs = search.pairs() if search.is_valid() else []
    context = {
        "form": form,
        "formats": [(choice, ABOUT[name]) for choice, name in zip(form["format"], FORMATS, strict=True)],
        "chosen": [(search[name].label, value) for name, value in pairs],
        "query": urlencode(pairs),
        "problem": problem,
    }
    return render(http, "audit/export-new.html", context, status=status)


def _wanted(form: ExportForm, search: EntryFilterForm) -> Wanted:
    values = form.cleaned_data
    report = values["report"] if values["format"] == "pdf" else ""
    return Wanted(values["format"], filter_of(search.wanted().as_json()), report, values.get("payloads", False))


@login_required
@require_GET
def export_file(http: HttpRequest, export_id: uuid.UUID) -> HttpResponseBase:
    person = viewer(http)
    try:
        return file_response(
            http, person, service.open_download(person, _fetch(person, export_id), door=DOOR), door=DOOR
        )
    except ExportProblem as error:
        messages.error(http, str(error))
        return redirect("exports")


@login_required
@require_POST
def export_cancel(http: HttpRequest, export_id: uuid.UUID) -> HttpResponse:
    person = viewer(http)
    try:
        service.cancel(person, _fetch(person, export_id))
    except ExportProblem as error:
        messages.error(http, str(error))
    else:
        messages.success(http, "Cancelled. What was made of it is deleted.")
    return redirect("exports")


# --- Shared -------------------------------------------------------------------------------------------------------


def _permitted(http: HttpRequest) -> Principal:
    """Whom policy lets export, and auditors and administrators, who see here why it does not."""
    person = viewer(http)
    if service.may_include_payloads(person) or _may_export(person):
        return person
    raise PermissionDenied("Exports are for group auditors and administrators, and for whom policy permits them.")


def _may_export(person: Principal) -> bool:
    try:
        return service.decide(person, DOOR).is_allowed
    except ExportProblem:
        return False


def _fetch(person: Principal, export_id: uuid.UUID) -> Export:
    try:
        return service.fetch_for(person, export_id)
    except UnknownExport:
        raise Http404 from None


def _row(export: Export) -> dict[str, Any]:
    return {
        "export": export,
        "title": FORMATS[export.format].title,
        "look": LOOKS[export.state],
        "is_open": export.state in service.OPEN,
        "percent": percent(export),
        "estimated": estimated_rows(export),
        "last": max(export.first, export.end - 1),
        "is_empty": export.end == export.first,
        "filter": [(name, _told(value)) for name, value in export.filter.items()],
        "payloads": bool(export.progress.get("payloads")),
        "truncated": bool(export.progress.get("truncated")),
        "retry_at": export.progress.get("retry_at") if export.state == "queued" else None,
        "report": REPORTS[export.report].title if export.report in REPORTS else export.report,
    }


def _told(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
