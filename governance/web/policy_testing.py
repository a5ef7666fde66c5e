"""The page that explains what the active policies would do with a statement."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from governance.web.trials import trial_form, try_statement
from governance.web.viewing import is_fragment
from identity.viewer import viewer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def policy_test(http: HttpRequest) -> HttpResponse:
    person = viewer(http)
    if http.method != "POST":
        return render(http, "governance/policy-test.html", {"form": trial_form(person)})
    form = trial_form(person, http.POST)
    outcome = try_statement(form, person) if form.is_valid() else {"invalid": form.errors}
    if is_fragment(http):
        return render(http, "governance/_tested.html", outcome)
    status = 200 if form.is_valid() else 422
    return render(http, "governance/policy-test.html", {"form": form, **outcome}, status=status)
