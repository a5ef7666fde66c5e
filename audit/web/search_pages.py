"""Searches that people keep."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from audit.models import SavedSearch
from audit.search.saving import CannotSave, change_search, delete_search, save_search, searches_for
from audit.web.forms import EntryFilterForm, SavedSearchForm
from identity.models import User


def _user(http: HttpRequest) -> User:
    assert isinstance(http.user, User)  # noqa: S101  narrows the type; behind login_required
    return http.user


@login_required
@require_GET
def saved_searches(http: HttpRequest) -> HttpResponse:
    user = _user(http)
    saved = list(searches_for(user))
    context = {
        "own": [(one, _form_of(one)) for one in saved if one.owner == user],
        "others": [one for one in saved if one.owner != user],
    }
    return render(http, "audit/saved-searches.html", context)


def _form_of(saved: SavedSearch) -> SavedSearchForm:
    initial = {"name": saved.name, "is_shared": saved.is_shared}
    return SavedSearchForm(initial=initial, auto_id=f"saved_{saved.pk}_%s")


@login_required
@require_POST
def save(http: HttpRequest) -> HttpResponse:
    """Keeps only what the ledger page understands, spelled as it spells it."""
    form, search_form = SavedSearchForm(http.POST), EntryFilterForm(QueryDict(http.POST.get("query", "")))
    query = urlencode(search_form.pairs()) if search_form.is_valid() else ""
    try:
        if not form.is_valid():
            raise CannotSave("Give the search a name of at most 80 characters.")
        saved = save_search(_user(http), form.cleaned_data["name"], query, is_shared=form.cleaned_data["is_shared"])
    except CannotSave as error:
        messages.error(http, str(error))
    else:
        messages.success(http, f"Saved as {saved.name}.")
    return redirect(f"{reverse('ledger')}?{query}" if query else reverse("ledger"))


@login_required
@require_POST
def change(http: HttpRequest, search_id: int) -> HttpResponse:
    form = SavedSearchForm(http.POST)
    try:
        if http.POST.get("delete"):
            messages.success(http, f"Deleted {delete_search(_user(http), search_id)}.")
        elif form.is_valid():
            given = form.cleaned_data
            saved = change_search(_user(http), search_id, given["name"], is_shared=given["is_shared"])
            messages.success(http, f"Changed {saved.name}.")
        else:
            messages.error(http, "Give the search a name of at most 80 characters.")
    except CannotSave as error:
        messages.error(http, str(error))
    except SavedSearch.DoesNotExist:
        raise Http404 from None
    return redirect("saved-searches")
