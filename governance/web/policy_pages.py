"""Reading policies: the active set, its versions, and any two of them compared."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.models import PolicySet
from governance.policy import store
from governance.web import cards
from governance.web.comparison import changed_policies, compare
from governance.web.forms import CardFilterForm, CompareForm

PAGE_SIZE = 25


@login_required
@require_GET
def policy(http: HttpRequest) -> HttpResponse:
    return _set_page(http, active_set())


@login_required
@require_GET
def policy_version(http: HttpRequest, number: int) -> HttpResponse:
    return _set_page(http, fetch_version(number))


def active_set() -> PolicySet:
    version = store.active().version
    return PolicySet.objects.get(version=version)


def fetch_version(number: int) -> PolicySet:
    found = PolicySet.objects.filter(version=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    return found


def _set_page(http: HttpRequest, stored: PolicySet) -> HttpResponse:
    form = CardFilterForm(http.GET)
    wanted = form.wanted()
    context: dict[str, object] = {"stored": stored, "form": form, "filtered": wanted != cards.Wanted()}
    context["active_version"] = stored.version if stored.is_active else store.active().version
    try:
        sections = cards.read_sections(stored.text)
    except cards.NotReadable as error:
        context["unreadable"] = str(error)
    else:
        context |= {"sections": cards.filtered(sections, wanted), "total": sum(len(s.cards) for s in sections)}
    return render(http, "governance/policy.html", context)


@login_required
@require_GET
def policy_versions(http: HttpRequest) -> HttpResponse:
    active = active_set()
    page = Paginator(PolicySet.objects.defer("text"), PAGE_SIZE).get_page(http.GET.get("page"))
    newest = list(PolicySet.objects.values_list("version", flat=True)[:2])
    context = {
        "active": active,
        "page": page,
        "previous": f"page={page.previous_page_number()}" if page.has_previous() else "",
        "next": f"page={page.next_page_number()}" if page.has_next() else "",
        "note": f"Page {page.number} of {page.paginator.num_pages}",
        "form": CompareForm(initial={"old": newest[-1], "new": newest[0]}) if len(newest) > 1 else None,
    }
    return render(http, "governance/policy-versions.html", context)


@login_required
@require_GET
def policy_compare(http: HttpRequest) -> HttpResponse:
    form = CompareForm(http.GET)
    if not form.is_valid():
        return render(http, "governance/policy-compare.html", {"form": form}, status=400)
    old, new = (fetch_version(form.cleaned_data[side]) for side in ("old", "new"))
    context = {
        "form": form,
        "old": old,
        "new": new,
        "comparison": compare(old.text, new.text),
        "changes": changed_policies(old.text, new.text),
        "turned": urlencode({"old": new.version, "new": old.version}),
    }
    return render(http, "governance/policy-compare.html", context)
