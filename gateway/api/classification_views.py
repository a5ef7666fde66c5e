"""Classification over REST: people read, administrators change. What the page does, by the same services."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gateway.api.filters import one_of, whole_number
from gateway.api.inputs import Input, Text
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text, whole
from gateway.api.views import PeopleOnly, principal_of
from governance.classes import ASSIGNABLE
from governance.classification import classify, parse_target, remove
from governance.datasources import fetch_datasource_for
from governance.models import ClassProposal, ClassScan, DataSource
from governance.scanning import proposals, scan
from governance.web.classified import Row, Wanted, rows_of

LONGEST_TARGET = 600


class PeopleReadAdministratorsChange(PeopleOnly):
    message = "Classes are read by people and changed by administrators."

    def has_permission(self, request: Request, view: APIView) -> bool:
        person = principal_of(request)
        return person.is_person and (request.method in permissions.SAFE_METHODS or person.is_administrator)


class ClassInput(Input):
    column = Text(max_length=LONGEST_TARGET, help_text="schema.table.column, with :$.path for a place inside JSON.")
    data_class = serializers.ChoiceField(choices=ASSIGNABLE, allow_null=True, help_text="null takes the class away.")


class VerdictInput(Input):
    verdict = serializers.ChoiceField(choices=["accept", "reject"])
    data_class = serializers.ChoiceField(
        choices=ASSIGNABLE,
        required=False,
        default=None,
        allow_null=True,
        help_text="Another class than the proposed one.",
    )

    def validate(self, attrs: Any) -> Any:
        if attrs["verdict"] == "reject" and attrs["data_class"]:
            raise serializers.ValidationError({"data_class": ["belongs to an acceptance"]})
        return attrs


_CLASSIFIED: dict[str, Shape] = {
    "column": text(),
    "type": text(),
    "class": text(allow_null=True),
    "mask": text(allow_null=True),
    "is_direct": serializers.BooleanField(help_text="Put on this very column; else it follows from others."),
    "origin": text(allow_blank=True),
    "by": text(allow_blank=True),
    "at": serializers.DateTimeField(allow_null=True),
}
_PROPOSAL: dict[str, Shape] = {
    "id": whole(),
    "column": text(),
    "class": text(),
    "confidence": whole(),
    "reason": text(),
    "validated_percent": whole(allow_null=True),
    "masked_examples": serializers.ListField(child=text()),
    "state": text(),
    "chosen_class": text(allow_blank=True),
    "decided_by": text(allow_blank=True),
    "decided_at": serializers.DateTimeField(allow_null=True),
}
_SCAN: dict[str, Shape] = {
    "state": serializers.ChoiceField(choices=ClassScan.State.choices),
    "done": whole(),
    "total": whole(),
    "proposed": whole(),
    "skipped": many("SkippedRelation", relation=text(), reason=text()),
    "problem": text(allow_blank=True),
    "started_by": text(),
    "started_at": serializers.DateTimeField(),
    "finished_at": serializers.DateTimeField(allow_null=True),
}
CLASSIFIED = answers(200, shape("Classifications", results=many("Classified", **_CLASSIFIED)), 403, 404)
CHANGED = answers(200, shape("ClassifiedColumn", **_CLASSIFIED), 400, 403, 404, 422, 503)
_SCAN_SHAPE = shape("ClassScan", **_SCAN)
SCAN = answers(200, _SCAN_SHAPE, 403, 404)
SCANNED = answers(202, _SCAN_SHAPE, 403, 404, 409, 503)
PROPOSALS = answers(
    200, shape("Proposals", results=many("Proposal", **_PROPOSAL), next_offset=whole(allow_null=True)), 403, 404
)
DECIDED = answers(200, shape("DecidedProposal", **_PROPOSAL), 400, 403, 404, 409, 422, 503)
PAGING = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]


class _View(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleReadAdministratorsChange]

    def datasource(self, request: Request, name: str) -> DataSource:
        return fetch_datasource_for(principal_of(request), name)


class ClassificationsView(_View):
    @extend_schema(operation_id="list_classifications", responses=CLASSIFIED)
    def get(self, request: Request, name: str) -> Response:
        """Every column with a class, and where it has it from."""
        rows = rows_of(self.datasource(request, name), Wanted())
        return Response({"results": [_row_output(row) for row in rows]})

    @extend_schema(operation_id="change_classification", request=ClassInput, responses=CHANGED)
    def post(self, request: Request, name: str) -> Response:
        """Put a class on a column, or take it away."""
        given = ClassInput(data=request.data)
        given.is_valid(raise_exception=True)
        datasource, actor = self.datasource(request, name), principal_of(request).label
        target, data_class = parse_target(given.validated_data["column"]), given.validated_data["data_class"]
        if data_class is None:
            remove(datasource, target, actor=actor)
        else:
            classify(datasource, target, data_class, actor=actor)
        rows = (row for row in rows_of(datasource, Wanted(show="all")) if row.target == target)
        return Response(_row_output(next(rows, Row(target, ""))))


class ScanView(_View):
    @extend_schema(operation_id="get_scan", responses=SCAN)
    def get(self, request: Request, name: str) -> Response:
        """The latest scan: how far it is, or how it ended."""
        found = scan.latest(self.datasource(request, name))
        if found is None:
            return _nothing("This data source has not been scanned yet.")
        return Response(_scan_output(found))

    @extend_schema(operation_id="scan", request=None, responses=SCANNED)
    def post(self, request: Request, name: str) -> Response:
        """A worker reads a bounded sample and proposes classes. Nothing is classified by it."""
        begun = scan.request(self.datasource(request, name), actor=principal_of(request).label)
        return Response(_scan_output(begun), status=202)


class ProposalsView(_View):
    @extend_schema(
        operation_id="list_proposals",
        parameters=[OpenApiParameter("state", str, enum=["proposed", "accepted", "rejected"]), *PAGING],
        responses=PROPOSALS,
    )
    def get(self, request: Request, name: str) -> Response:
        """What scans proposed, the most certain first. Examples are masked."""
        datasource = self.datasource(request, name)
        state = one_of(request, "state", ("proposed", "accepted", "rejected"))
        limit, offset = whole_number(request, "limit", 50, 1, 200), whole_number(request, "offset", 0, 0, 1_000_000)
        found = proposals.open_proposals(datasource)
        if state != "proposed":
            found = ClassProposal.objects.filter(datasource=datasource, state=state)
        page = list(found[offset : offset + limit + 1])
        following = offset + limit if len(page) > limit else None
        return Response({"results": [_proposal_output(one) for one in page[:limit]], "next_offset": following})


class ProposalView(_View):
    @extend_schema(operation_id="decide_proposal", request=VerdictInput, responses=DECIDED)
    def post(self, request: Request, name: str, proposal_id: int) -> Response:
        """Accept (as proposed, or with another class) or reject. Each is decided once."""
        given = VerdictInput(data=request.data)
        given.is_valid(raise_exception=True)
        datasource = self.datasource(request, name)
        found = ClassProposal.objects.filter(datasource=datasource, pk=proposal_id).first()
        if found is None:
            return _nothing("There is no such proposal.")
        accepted = given.validated_data["verdict"] == "accept"
        chosen = (given.validated_data["data_class"] or found.data_class) if accepted else None
        choice = proposals.Choice(found.pk, chosen)
        (decided,) = proposals.decide(datasource, [choice], actor=principal_of(request).label)
        return Response(_proposal_output(decided))


def _nothing(detail: str) -> Response:
    return problem(404, "not-found", "Not found", detail)


def _row_output(row: Row) -> dict[str, Any]:
    return {
        "column": str(row.target),
        "type": row.type,
        "class": row.data_class or None,
        "mask": row.mask or None,
        "is_direct": row.is_direct,
        "origin": row.origin,
        "by": row.by,
        "at": row.at,
    }


def _scan_output(found: ClassScan) -> dict[str, Any]:
    fields = ("state", "done", "total", "proposed", "problem", "started_by", "started_at", "finished_at")
    skipped = [{"relation": relation, "reason": reason} for relation, reason in found.skipped]
    return {**{name: getattr(found, name) for name in fields}, "skipped": skipped}


def _proposal_output(found: ClassProposal) -> dict[str, Any]:
    return {
        "id": found.pk,
        "column": found.target,
        "class": found.data_class,
        "confidence": found.confidence,
        "reason": found.reason,
        "validated_percent": found.share,
        "masked_examples": found.examples,
        "state": found.state,
        "chosen_class": found.chosen_class,
        "decided_by": found.decided_by,
        "decided_at": found.decided_at,
    }
