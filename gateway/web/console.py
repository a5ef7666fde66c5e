"""The run page: a statement box in front of the same pipeline as every other door (P7)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gateway import pipeline
from gateway.models import Door
from gateway.recording import problem_of
from gateway.submission import Submission
from gateway.web.forms import StatementForm
from gateway.web.query_pages import query_context
from governance.assessment import decision_json, facts_json
from governance.datasources import list_datasources_for
from governance.errors import GatewayError
from identity.viewer import viewer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def run_statement(http: HttpRequest) -> HttpResponse:
    datasources = list_datasources_for(viewer(http))
    if http.method != "POST":
        return _page(http, StatementForm(datasources=datasources), {})
    form = StatementForm(http.POST, datasources=datasources)
    if not form.is_valid():
        return _page(http, form, {"invalid": form.errors}, 422)
    submission = _submission(http, form)
    try:
        outcome = _check(submission) if http.POST.get("action") == "check" else _run(http, submission)
    except GatewayError as error:
        return _page(http, form, _problem(submission, error), error.status)
    return _page(http, form, outcome)


def _submission(http: HttpRequest, form: StatementForm) -> Submission:
    values = form.cleaned_data
    return Submission(
        principal=viewer(http),
        door=Door.WEB,
        datasource=values["datasource"],
        sql=values["sql"],
        purpose=values["purpose"],
    )


def _run(http: HttpRequest, submission: Submission) -> dict[str, Any]:
    return query_context(http, pipeline.submit(submission).query)


def _check(submission: Submission) -> dict[str, Any]:
    assessment = pipeline.check(submission)
    return {
        "checked": True,
        "sql": submission.sql,
        "facts": facts_json(assessment.facts),
        "decision": decision_json(assessment.decision, assessment.risk),
    }


def _problem(submission: Submission, error: GatewayError) -> dict[str, Any]:
    place = {"place": error.place, "message": error.message}
    return {
        "problem": problem_of(error),
        "problem_sql": submission.sql,
        "problem_hazards": [place],
        "refused": error.query,
    }


def _page(http: HttpRequest, form: StatementForm, outcome: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {"form": form, **outcome}
    if http.headers.get("HX-Request") == "true":
        # htmx leaves the page as it is for anything but 200, and the reader must see why.
        return render(http, "web/_outcome.html", context)
    return render(http, "web/run-statement.html", context, status=status)
