"""Pages of classification: everybody signed in reads them, administrators decide."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.ledger import LedgerUnavailable
from governance.classification import Target, classify, parse_target, remove
from governance.datasources import fetch_datasource_for, list_datasources_for
from governance.errors import GatewayError, UnknownDataSource
from governance.models import ClassProposal, DataSource
from governance.scanning import proposals, scan
from governance.web.classification_forms import (
    CLASSES,
    ClassifyForm,
    ColumnFilterForm,
    ProposalFilterForm,
    read_choices,
)
from governance.web.classified import Row, Wanted, rows_of
from identity.principals import Principal
from identity.viewer import viewer

PAGE_SIZE = 50
UNRECORDED = "The change cannot be recorded, so it was not made"


@login_required
@require_GET
def classification(http: HttpRequest) -> HttpResponse:
    """The first data source; what waits to be decided comes before what is."""
    known = list_datasources_for(viewer(http))
    if not known:
        return render(http, "governance/classification-empty.html")
    waiting = next((one for one in known if proposals.open_proposals(one).exists()), None)
    if waiting:
        return redirect("classification-proposals", waiting.name)
    return redirect("classification-columns", known[0].name)


@login_required
@require_GET
def classification_columns(http: HttpRequest, name: str) -> HttpResponse:
    return _columns_page(
        http, _fetch(viewer(http), name), ClassifyForm(initial={"column": http.GET.get("add", "")[:600]})
    )


@login_required
@require_GET
def classification_proposals(http: HttpRequest, name: str) -> HttpResponse:
    return _proposals_page(http, _fetch(viewer(http), name))


@login_required
@require_GET
def classification_scan(http: HttpRequest, name: str) -> HttpResponse:
    """What the page asks every two seconds while a scan is under way."""
    datasource = _fetch(viewer(http), name)
    return render(
        http, "governance/_scan.html", {"datasource": datasource, "scan": scan.latest(datasource), "polled": True}
    )


@login_required
@require_POST
def classification_scan_now(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    datasource = _fetch(person, name)
    _told(http, lambda: scan.request(datasource, actor=person.label), "The scan has been handed to a worker.")
    return redirect("classification-proposals", name)


@login_required
@require_POST
def classification_decide(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    datasource = _fetch(person, name)
    choices = read_choices(http.POST)
    if not choices:
        messages.warning(http, "Nothing was selected.")
    else:
        accepted = sum(choice.data_class is not None for choice in choices)
        said = f"{accepted} accepted: masked from now on." if accepted else f"{len(choices)} rejected."
        _told(http, lambda: proposals.decide(datasource, choices, actor=person.label), said)
    return redirect("classification-proposals", name)


@login_required
@require_POST
def classification_add(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    datasource = _fetch(person, name)
    form = ClassifyForm(http.POST)
    if not form.is_valid():
        return _columns_page(http, datasource, form, status=422)
    target, data_class = form.cleaned_data["column"], form.cleaned_data["data_class"]
    try:
        classify(datasource, target, data_class, actor=person.label)
    except GatewayError as error:
        form.add_error("column", f"{error.message} {error.remedy}")
        return _columns_page(http, datasource, form, status=422)
    except LedgerUnavailable as error:
        form.add_error(None, f"{UNRECORDED}: {error}. Send it again in a moment.")
        return _columns_page(http, datasource, form, status=503)
    messages.success(http, f"{target} is classified as {data_class}: masked from now on.")
    return redirect("classification-columns", name)


@login_required
@require_http_methods(["GET", "POST"])
def classification_remove(http: HttpRequest, name: str) -> HttpResponse:
    """Asks once more, and says what it means."""
    person = _administrator(http)
    datasource = _fetch(person, name)
    row = _direct_row(datasource, (http.POST if http.method == "POST" else http.GET).get("column", ""))
    if http.method == "POST":
        said = f"{row.target} has no class of its own any more."
        _told(http, lambda: remove(datasource, row.target, actor=person.label), said)
        return redirect("classification-columns", name)
    return render(http, "governance/classification-remove.html", {"datasource": datasource, "row": row})


# --- Shared -------------------------------------------------------------------------------------------------------


def _fetch(person: Principal, name: str) -> DataSource:
    try:
        return fetch_datasource_for(person, name)
    except UnknownDataSource:
        raise Http404 from None


def _administrator(http: HttpRequest) -> Principal:
    person = viewer(http)
    if not person.is_administrator:
        raise PermissionDenied("Classes are put on columns and taken away by administrators. Everybody may read them.")
    return person


def _told(http: HttpRequest, change: Any, said: str) -> None:
    try:
        change()
    except GatewayError as error:
        messages.error(http, f"{error.message} {error.remedy}".strip())
    except LedgerUnavailable as error:
        messages.error(http, f"{UNRECORDED}: {error}. Send it again in a moment.")
    else:
        messages.success(http, said)


def _direct_row(datasource: DataSource, text: str) -> Row:
    """Raises `Http404` where nobody put a class."""
    try:
        target: Target = parse_target(text)
    except GatewayError:
        raise Http404 from None
    rows = rows_of(datasource, Wanted(show="classified"))
    found = next((row for row in rows if row.is_direct and row.target == target), None)
    if found is None:
        raise Http404
    return found


def _columns_page(http: HttpRequest, datasource: DataSource, form: ClassifyForm, status: int = 200) -> HttpResponse:
    filters = ColumnFilterForm(http.GET, auto_id="filter_%s")
    wanted = filters.wanted()
    page = Paginator(rows_of(datasource, wanted), PAGE_SIZE).get_page(http.GET.get("page"))
    context = {
        **_frame(http, datasource, "columns"),
        **_paging(page, {"text": wanted.text, "show": wanted.show, "data_class": wanted.data_class}),
        "filters": filters,
        "filtered": wanted != Wanted(),
        "wanted": wanted,
        "form": form,
    }
    return render(http, "governance/classification.html", context, status=status)


def _proposals_page(http: HttpRequest, datasource: DataSource) -> HttpResponse:
    filters = ProposalFilterForm(http.GET, auto_id="filter_%s")
    values = filters.values()
    found = proposals.open_proposals(datasource).filter(_condition(values))
    page: Page[ClassProposal] = Paginator(found, PAGE_SIZE).get_page(http.GET.get("page"))
    context = {
        **_frame(http, datasource, "proposals"),
        **_paging(page, values),
        "filters": filters,
        "filtered": bool(values),
        "classes": CLASSES,
        "scan": scan.latest(datasource),
        "offered": [(one, proposals.effect_of(one.data_class)) for one in page.object_list],
    }
    return render(http, "governance/classification-proposals.html", context)


def _condition(values: dict[str, Any]) -> Q:
    condition = Q(confidence__gte=values.get("least", 0))
    if "data_class" in values:
        condition &= Q(data_class=values["data_class"])
    for word in values.get("text", "").split("."):
        if word:
            condition &= Q(schema__icontains=word) | Q(relation__icontains=word) | Q(column__icontains=word)
    return condition


def _frame(http: HttpRequest, datasource: DataSource, tab: str) -> dict[str, Any]:
    return {
        "datasource": datasource,
        "datasources": list_datasources_for(viewer(http)),
        "tab": tab,
        "waiting": proposals.open_proposals(datasource).count(),
    }


def _paging(page: Page[Any], values: dict[str, Any]) -> dict[str, Any]:
    kept = urlencode({name: value for name, value in values.items() if value})

    def query(number: int) -> str:
        return "&".join(filter(None, (kept, f"page={number}")))

    return {
        "page": page,
        "previous": query(page.previous_page_number()) if page.has_previous() else "",
        "next": query(page.next_page_number()) if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}, {page.paginator.count} in all",
    }
