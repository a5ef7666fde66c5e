"""Exports over REST: ask, look, take away, cancel. Policy decides who may; each sees their own, administrators all."""

from __future__ import annotations

import uuid
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.exports import service
from audit.exports.errors import ExportProblem
from audit.exports.formats import FORMATS
from audit.exports.output import export_output
from audit.exports.reading import Wanted, filter_of
from audit.exports.serving import file_response
from gateway.api.filters import whole_number
from gateway.api.inputs import Flag, Input, Text
from gateway.api.problems import problem
from gateway.api.renderers import JSONRenderer
from gateway.api.schemas import PROBLEM, answers, shape, text, whole
from gateway.api.views import principal_of

DOOR = "rest"


class ExportInput(Input):
    format = serializers.ChoiceField(choices=list(FORMATS))
    filter = serializers.DictField(
        child=serializers.JSONField(),
        required=False,
        default=dict,
        help_text="By the names of GET audit/entries; each value a text, or a list of texts of which any matches.",
    )
    report = Text(required=False, default="", allow_blank=True, max_length=40, help_text="Which report a PDF is of.")
    payloads = Flag(
        required=False, default=False, help_text="With what is kept encrypted: for auditors and administrators."
    )


EXPORT_SHAPE = shape(
    "Export",
    id=serializers.UUIDField(),
    requester=text(),
    format=text(),
    report=text(allow_null=True),
    filter=serializers.DictField(),
    payloads=serializers.BooleanField(),
    range=shape("ExportRange", first=whole(), end=whole(help_text="The first index that is not in it.")),
    state=serializers.ChoiceField(choices=["queued", "running", "done", "failed", "cancelled", "expired"]),
    progress=shape(
        "ExportProgress",
        rows=whole(),
        estimated_rows=whole(allow_null=True),
        next=whole(),
        percent=whole(min_value=0, max_value=100),
    ),
    limit=whole(allow_null=True, help_text="At most so many rows, by policy."),
    truncated=serializers.BooleanField(help_text="The limit cut it: more entries match."),
    policies=serializers.ListField(child=text(), help_text="That permitted it."),
    result=serializers.DictField(allow_null=True, help_text="Once it is done: bytes, sha256, url, expires_at."),
    problem=text(allow_null=True),
    retry_at=serializers.DateTimeField(allow_null=True),
    entry=whole(help_text="Index of the entry that says that it was asked for."),
    created_at=serializers.DateTimeField(),
    finished_at=serializers.DateTimeField(allow_null=True),
)
ASKED = answers(202, OpenApiResponse(EXPORT_SHAPE, "Recorded and queued; `Location` leads to it."), 400, 403, 429, 503)
EXPORTS = answers(
    200,
    shape("Exports", results=serializers.ListField(child=EXPORT_SHAPE), next_offset=whole(allow_null=True)),
    400,
)
PAGING = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]
RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes, to go on with.")
FILE: dict[Any, Any] = {
    (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file. `ETag` is its SHA-256."),
    (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The range that was asked for."),
    416: OpenApiResponse(description="The range begins behind the end of the file."),
    **{code: OpenApiResponse(PROBLEM, "A problem document (RFC 9457).") for code in (401, 403, 404, 409, 410, 503)},
}


class ExportsBase(APIView):
    """Maps what is wrong with an export once."""

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, ExportProblem):
            return super().handle_exception(exc)
        policies = list(getattr(exc, "policies", ())) or None
        response = problem(exc.status, exc.code, exc.title, exc.message, remedy=exc.remedy or None, policies=policies)
        response.exception = True
        return response


class ExportsView(ExportsBase):
    @extend_schema(operation_id="list_exports", parameters=PAGING, responses=EXPORTS)
    def get(self, request: Request) -> Response:
        """One's own, newest first; administrators see all."""
        limit, offset = whole_number(request, "limit", 50, 1, 200), whole_number(request, "offset", 0, 0, 1_000_000)
        page = list(service.list_for(principal_of(request))[offset : offset + limit + 1])
        following = offset + limit if len(page) > limit else None
        return Response({"results": [export_output(one) for one in page[:limit]], "next_offset": following})

    @extend_schema(operation_id="ask_for_export", request=ExportInput, responses=ASKED)
    def post(self, request: Request) -> Response:
        """Ask for entries of the ledger as a file. Asking is recorded, and so is a refusal."""
        given = ExportInput(data=request.data)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        wanted = Wanted(values["format"], filter_of(values["filter"]), values["report"], values["payloads"])
        export = service.ask(principal_of(request), wanted, door=DOOR)
        location = f"/api/v1/audit/exports/{export.pk}"
        return Response(export_output(export), status=202, headers={"Location": location})


class ExportView(ExportsBase):
    @extend_schema(operation_id="get_export", responses=answers(200, EXPORT_SHAPE, 404))
    def get(self, request: Request, export_id: uuid.UUID) -> Response:
        """State and progress; once it is done, where the file is, its size and its SHA-256."""
        return Response(export_output(service.fetch_for(principal_of(request), export_id)))

    @extend_schema(operation_id="cancel_export", responses=answers(200, EXPORT_SHAPE, 404, 409, 503))
    def delete(self, request: Request, export_id: uuid.UUID) -> Response:
        """Cancel one that is queued or running; what was made of it is deleted."""
        principal = principal_of(request)
        return Response(export_output(service.cancel(principal, service.fetch_for(principal, export_id))))


class AnythingRenderer(BaseRenderer):
    """The file is what it is, whatever `Accept` asks for; problems are JSON."""

    media_type = "*/*"
    format = "file"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class ExportFileView(ExportsBase):
    renderer_classes = [JSONRenderer, AnythingRenderer]

    @extend_schema(operation_id="get_export_file", parameters=[RANGE], responses=FILE)
    def get(self, request: Request, export_id: uuid.UUID) -> HttpResponseBase:
        """The file, or a range of it. Each download is recorded first."""
        principal = principal_of(request)
        download = service.open_download(principal, service.fetch_for(principal, export_id), door=DOOR)
        return file_response(request._request, principal, download, door=DOOR)

    @extend_schema(exclude=True)
    def head(self, request: Request, export_id: uuid.UUID) -> HttpResponseBase:
        return self.get(request, export_id)
