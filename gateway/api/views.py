"""The REST calls. `request.user` is a Principal (see authentication.py)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any, cast

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import services as approvals
from approvals.paging import ORDERS, page_of
from approvals.searching import narrow
from audit.retention.archive_files import ArchiveUnavailable
from audit.search import SearchTooBroad, entry_json, find_entries
from gateway import pipeline, queries
from gateway.api import outputs, schemas
from gateway.api.authentication import second_factor_at
from gateway.api.filters import EntryQuery, number
from gateway.api.inputs import QueryInput, ReviewInput, StatementInput
from gateway.api.problems import problem, problem_response
from gateway.api.renderers import RESULT_RENDERERS, JSONRenderer, ResultRenderer
from gateway.api.request_filters import RequestQuery
from gateway.datasources import catalogue_output, datasource_output
from gateway.models import END_STATES, Door, Query, QueryState
from gateway.pipeline import Outcome
from gateway.recording import problem_of
from gateway.release import replay
from gateway.submission import RunContext, Submission
from governance.assessment import Assessment, decision_json, facts_json
from governance.datasources import fetch_datasource_for, list_datasources_for
from governance.errors import GatewayError
from identity.principals import Principal

WAIT = OpenApiParameter("wait", OpenApiTypes.FLOAT, description="Seconds to wait for the end (long poll).")
MOST_KEY = 200


def principal_of(request: Request) -> Principal:
    return cast(Principal, request.user)


class PeopleOnly(permissions.BasePermission):
    message = (
        "This is for people. Agents follow what they asked for at the query: queries/ID, …/edits, …/schedule, …/cancel."
    )

    def has_permission(self, request: Request, view: APIView) -> bool:
        return principal_of(request).is_person


class QueriesView(APIView):
    @extend_schema(
        operation_id="submit_query",
        request=QueryInput,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        responses=schemas.SUBMITTED,
    )
    def post(self, request: Request) -> Response:
        """Submit one statement. It is understood, decided, and run, parked or denied."""
        given = QueryInput(data=request.data)
        given.is_valid(raise_exception=True)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MOST_KEY or not key.isprintable():
            return problem(
                400, "invalid", "The request is not valid", f"Idempotency-Key: at most {MOST_KEY} printable characters."
            )
        submission = _submission(request, given.validated_data, key)
        if given.validated_data["dry_run"]:
            return Response({"status": "dry_run", **_assessment_output(pipeline.check(submission))})
        try:
            outcome = pipeline.submit(submission)
        except GatewayError as error:
            return _refused(error)
        if outcome.query.state not in END_STATES and (seconds := given.validated_data["wait"]):
            query = queries.wait_for_end(outcome.query, seconds, submission.principal)
            outcome = Outcome(query, replay(submission.principal, query, submission.door))
        return _outcome_response(outcome)


class QueryView(APIView):
    @extend_schema(operation_id="get_query", parameters=[WAIT], responses=schemas.QUERY)
    def get(self, request: Request, query_id: uuid.UUID) -> Response:
        """State, decision, facts, times and ledger index."""
        principal = principal_of(request)
        query = queries.fetch_query_for(principal, query_id)
        query = queries.wait_for_end(query, number(request, "wait", 0, 0, 3600), principal)
        return Response(outputs.query_output(query, queries.problem_for(principal, query)))


class ResultView(APIView):
    renderer_classes = [JSONRenderer, *RESULT_RENDERERS]

    @extend_schema(operation_id="get_result", responses=schemas.RESULT)
    def get(self, request: Request, query_id: uuid.UUID) -> HttpResponseBase:
        """The rows, as JSON, CSV, NDJSON or Arrow by `Accept`."""
        principal = principal_of(request)
        query = queries.fetch_query_for(principal, query_id)
        if not queries.may_read_result(principal, query):
            return problem(403, "not-permitted", "Not permitted", "Only whoever asked may have the rows.")
        if query.state != QueryState.EXECUTED:
            return _no_result(query)
        content = replay(principal, query, Door.REST)
        if content is None:
            detail = "The result is no longer kept. Submit the statement again."
            return problem(410, "result-gone", "The result is gone", detail, query=str(query.pk))
        renderer = request.accepted_renderer
        if isinstance(renderer, ResultRenderer):
            return StreamingHttpResponse(_chunks(renderer, content), content_type=renderer.media_type)
        return Response(outputs.result_output(query, content))


class CancelView(APIView):
    @extend_schema(operation_id="cancel_query", request=None, responses=schemas.QUERY)
    def post(self, request: Request, query_id: uuid.UUID) -> Response:
        """Break off what runs, at the database too; withdraw what waits for review."""
        principal = principal_of(request)
        query = queries.fetch_query_for(principal, query_id)
        queries.cancel(principal, query)
        query = queries.wait_for_end(query, 2, principal)
        return Response(outputs.query_output(query, queries.problem_for(principal, query)), status=202)


class CheckView(APIView):
    @extend_schema(operation_id="check", request=StatementInput, responses=schemas.CHECKED)
    def post(self, request: Request) -> Response:
        """Facts and decision; nothing is run."""
        given = StatementInput(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(_assessment_output(pipeline.check(_submission(request, given.validated_data))))


class DataSourcesView(APIView):
    @extend_schema(operation_id="list_datasources", responses=schemas.DATASOURCES)
    def get(self, request: Request) -> Response:
        return Response({"results": [datasource_output(one) for one in list_datasources_for(principal_of(request))]})


class CatalogueView(APIView):
    @extend_schema(operation_id="get_catalogue", responses=schemas.CATALOGUE)
    def get(self, request: Request, name: str) -> Response:
        """Relations and columns, with the class of those that are sensitive."""
        return Response(catalogue_output(fetch_datasource_for(principal_of(request), name)))


class RequestsView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="list_requests", parameters=schemas.REQUEST_FILTERS, responses=schemas.REQUESTS)
    def get(self, request: Request) -> Response:
        """Requests that this person may see, newest first. A parameter that is no filter is refused."""
        asked = RequestQuery.of(request)
        found = approvals.list_requests_for(principal_of(request), asked.which, "rest").select_related("query")
        rows = narrow(found, asked.wanted)
        page = page_of(rows, ORDERS[asked.sort], size=asked.limit, after=asked.after, skip=asked.offset)
        following = asked.offset + asked.limit if page.next and not asked.after else None
        results = [outputs.request_output(one) for one in page.rows]
        return Response({"results": results, "next": page.next or None, "next_offset": following})


class RequestView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="get_request", responses=schemas.REQUEST)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        principal = principal_of(request)
        return Response(outputs.request_detail(approvals.fetch_request_for(principal, request_id), principal))


class ReviewsView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="review_request", request=ReviewInput, responses=schemas.REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Approve or reject. Nobody reviews their own, or what their agent asked (P5)."""
        given = ReviewInput(data=request.data)
        given.is_valid(raise_exception=True)
        principal = principal_of(request)
        approvals.fetch_request_for(principal, request_id)
        approvals.review(
            request_id,
            principal,
            **given.validated_data,
            second_factor_at=second_factor_at(request),
            door=Door.REST,
        )
        return Response(
            outputs.request_detail(approvals.fetch_request_for(principal, request_id), principal), status=201
        )


class EntriesView(APIView):
    @extend_schema(operation_id="list_entries", parameters=schemas.ENTRY_FILTERS, responses=schemas.ENTRIES)
    def get(self, request: Request) -> Response:
        """Ledger entries, newest first. An agent sees those of its own. A parameter that is no filter is refused."""
        asked = EntryQuery.of(request, principal_of(request))
        try:
            page = find_entries(asked.filter, before=asked.before, after=asked.after, limit=asked.limit)
        except SearchTooBroad as error:
            return problem(400, "too-broad", "The search is too broad", str(error))
        except ArchiveUnavailable as error:
            return problem(503, "archive-unavailable", "An archive cannot be read", str(error))
        results = [entry_json(entry) for entry in page.entries]
        return Response(
            {
                "results": results,
                "before": page.next,
                "after": page.previous,
                "behind": page.behind,
                "archived": page.archived,
            }
        )


# --- Shared -------------------------------------------------------------------------------------------------------


def _submission(request: Request, given: dict[str, Any], idempotency_key: str = "") -> Submission:
    return Submission(
        principal=principal_of(request),
        door=Door.REST,
        datasource=given["datasource"],
        sql=given["sql"],
        params=tuple(given["params"]),
        purpose=given["purpose"],
        on_behalf_of=given["on_behalf_of"],
        run=given["run"] or RunContext(),
        max_rows=given.get("max_rows"),
        idempotency_key=idempotency_key,
    )


def _assessment_output(assessment: Assessment) -> dict[str, Any]:
    decision = decision_json(assessment.decision, assessment.risk)
    masks, required = decision["masks"], outputs.required_output(decision["required"])
    return {
        "facts": facts_json(assessment.facts),
        "decision": outputs.decision_output(decision),
        "required": required,
        "masks": masks,
        "fingerprint": assessment.facts.fingerprint,
    }


def _outcome_response(outcome: Outcome) -> Response:
    """200 with the result; 202 with `Location` while it waits; the problem where it ended otherwise."""
    query = outcome.query
    if outcome.content is not None:
        return Response(outputs.result_output(query, outcome.content))
    if query.state not in END_STATES:
        location = f"/api/v1/queries/{query.pk}"
        return Response(outputs.parked_output(query), status=202, headers={"Location": location})
    return _no_result(query)


def _no_result(query: Query) -> Response:
    kept = query.problem or {
        "code": "no-result", "title": "There is no result", "status": 409, "detail": f"The query is {query.state}."
    }  # fmt: skip
    more = {name: kept[name] for name in ("remedy", "place", "sqlstate") if name in kept}
    return problem(
        kept["status"], kept["code"], kept["title"], kept["detail"], id=str(query.pk), status_of_query=query.state,
        decision=outputs.decision_output(query.decision), ledger=outputs.ledger_output(query), **more,
    )  # fmt: skip


def _refused(error: GatewayError) -> Response:
    """The problem document, with the query that was refused where there is one."""
    query: Query | None = error.query
    if query is None:
        return problem_response(error, {})
    document = problem_of(error)
    return problem(
        document.pop("status"), document.pop("code"), document.pop("title"), document.pop("detail"), **document,
        id=str(query.pk), decision=outputs.decision_output(query.decision), ledger=outputs.ledger_output(query),
    )  # fmt: skip


async def _chunks(renderer: ResultRenderer, content: dict[str, Any]) -> AsyncIterator[bytes]:
    for chunk in renderer.stream(content):
        yield chunk
