"""Taking a change back, over REST."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import services as approvals
from gateway.api import outputs, schemas
from gateway.api.inputs import Input, Text
from gateway.api.views import PeopleOnly, principal_of
from gateway.models import Door
from gateway.undo import revert


class RevertInput(Input):
    only_unchanged = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Leave out rows that were changed since. Without it, one such row keeps all from being restored.",
    )
    reason = Text(max_length=500, required=False, default="", allow_blank=True, help_text="For those who review it.")


class RevertView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="revert_request", request=RevertInput, responses=schemas.CHANGED_REQUEST)
    def post(self, request: Request, request_id: uuid.UUID) -> Response:
        """Ask to take back what an executed request changed: a new request, which people review, and which restores the rows
        exactly as they were, or none of them. The answer is the new request."""
        given = RevertInput(data=request.data)
        given.is_valid(raise_exception=True)
        principal = principal_of(request)
        made = revert(principal, request_id, door=Door.REST, **given.validated_data)
        body = outputs.request_detail(approvals.fetch_request_for(principal, made.request.pk), principal)
        return Response(body, status=201, headers={"Location": f"/api/v1/requests/{made.request.pk}"})
