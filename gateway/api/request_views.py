"""Changing what waits, over REST. People address the request; whoever asked, an agent too, addresses the query."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import services as approvals
from approvals.errors import UnknownRequest
from gateway import editing, queries
from gateway.api import outputs, schemas
from gateway.api.inputs import LONGEST_STATEMENT, MOST_PARAMETERS, Input, Text, Value
from gateway.api.policy_inputs import Moment
from gateway.api.views import PeopleOnly, principal_of
from gateway.models import Query
from identity.principals import Principal


class EditInput(Input):
    sql = Text(max_length=LONGEST_STATEMENT, allow_blank=True, help_text="What it is to be from now on.")
    params = serializers.ListField(
        child=Value(),
        required=False,
        default=list,
        max_length=MOST_PARAMETERS,
        help_text="One value for each $n, in order.",
    )


class ScheduleInput(Input):
    run_at = Moment(allow_null=True, help_text="It does not run before; null: as soon as it may.")


class RequestEditsView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="edit_request", request=EditInput, responses=schemas.CHANGED_REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Change what waits. It is analysed and decided again, and the reviews that it had are void."""
        given = _given(EditInput, request)
        principal = principal_of(request)
        query = _query_of(approvals.fetch_request_for(principal, request_id).pk)
        editing.edit(principal, query, given["sql"], given["params"])
        return _changed(principal, request_id, 201)


class WithdrawView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="withdraw_request", request=None, responses=schemas.REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Take it back, as long as it has not started. By whoever asked, or the owner of the agent that asked."""
        approvals.withdraw(request_id, principal_of(request))
        return _changed(principal_of(request), request_id)


class ScheduleView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="schedule_request", request=ScheduleInput, responses=schemas.REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Set the time before which it does not run. By whoever asked, until somebody approves; and by reviewers."""
        given = _given(ScheduleInput, request)
        principal = principal_of(request)
        approvals.fetch_request_for(principal, request_id)
        approvals.schedule(request_id, principal, given["run_at"])
        return _changed(principal, request_id)


class QueryEditsView(APIView):
    @extend_schema(operation_id="edit_query", request=EditInput, responses=schemas.EDITED_QUERY)
    def post(self, request: Request, query_id: uuid.UUID) -> Response:
        """The same for whoever asked, while the query is parked."""
        given = _given(EditInput, request)
        principal = principal_of(request)
        query = queries.fetch_query_for(principal, query_id)
        edited = editing.edit(principal, query, given["sql"], given["params"])
        return _parked(edited)


class QueryScheduleView(APIView):
    @extend_schema(operation_id="schedule_query", request=ScheduleInput, responses=schemas.EDITED_QUERY)
    def post(self, request: Request, query_id: uuid.UUID) -> Response:
        """The same for whoever asked, while the query is parked."""
        given = _given(ScheduleInput, request)
        principal = principal_of(request)
        query = queries.fetch_query_for(principal, query_id)
        if query.request is None:
            raise UnknownRequest
        query.request = approvals.schedule(query.request.pk, principal, given["run_at"])
        return _parked(query)


# --- Shared -------------------------------------------------------------------------------------------------------


def _given(serializer: type[Input], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    found: dict[str, Any] = given.validated_data
    return found


def _query_of(request_id: uuid.UUID) -> Query:
    """Raises `UnknownRequest` for one that is no statement's."""
    related = ("datasource", "agent__owner", "user", "request__agent", "request__owner")
    query = Query.objects.select_related(*related).filter(request_id=request_id).first()
    if query is None:
        raise UnknownRequest
    return query


def _changed(principal: Principal, request_id: uuid.UUID, status: int = 200) -> Response:
    return Response(
        outputs.request_detail(approvals.fetch_request_for(principal, request_id), principal), status=status
    )


def _parked(query: Query) -> Response:
    return Response(outputs.parked_output(query), status=202, headers={"Location": f"/api/v1/queries/{query.pk}"})
