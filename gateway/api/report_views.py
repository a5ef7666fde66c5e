"""Reports over REST: which there are, and one over a period, for auditors and administrators."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import permissions, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.reports.as_json import report_json
from audit.reports.asking import ASKED, asked_for
from audit.reports.controls import CONTROLS
from audit.reports.making import REPORTS, make_report
from audit.reports.periods import PRESETS, PeriodError
from audit.reports.sources import ReportError
from audit.web.report_pages import may_see_reports
from gateway.api.ledger_views import LogView
from gateway.api.problems import problem
from gateway.api.schemas import answers, many, shape, text, whole
from gateway.api.views import principal_of

REFERENCES = many("ReportControl", standard=text(), reference=text(), asks=text())
LISTED = answers(
    200,
    shape(
        "Reports",
        results=many("ReportListed", name=text(), title=text(), question=text(), controls=REFERENCES),
    ),
    403,
)
REPORT = answers(
    200,
    shape(
        "Report",
        report=text(),
        title=text(),
        question=text(),
        period=shape("ReportPeriod", since=serializers.DateTimeField(), until=serializers.DateTimeField(), zone=text()),
        computed_from=shape(
            "ReportBasis",
            first=whole(),
            end=whole(help_text="The first index that was not read."),
            checkpoint=shape(
                "ReportCheckpoint",
                size=whole(),
                root=text(),
                note=text(),
                time=serializers.DateTimeField(allow_null=True),
            ),
        ),
        summary=text(),
        sections=serializers.ListField(
            child=serializers.DictField(), help_text="Each has a `kind`: figures, plot, table or text."
        ),
        controls=shape("ReportControls", note=text(), references=REFERENCES),
    ),
    400,
    403,
    404,
    503,
)
PARAMETERS = [
    OpenApiParameter("period", OpenApiTypes.STR, enum=list(PRESETS), description="Instead of since and until."),
    OpenApiParameter("since", OpenApiTypes.STR, description="A date, or a time; included."),
    OpenApiParameter("until", OpenApiTypes.STR, description="A date, which is included, or a time, which is not."),
    OpenApiParameter("zone", OpenApiTypes.STR, description="IANA time zone of dates and periods; UTC if not given."),
    OpenApiParameter("end", OpenApiTypes.INT64, description="No entry of this index or later; to make a report again."),
]


class AuditorsOnly(permissions.BasePermission):
    message = "Reports are for group auditors and administrators."

    def has_permission(self, request: Request, view: Any) -> bool:
        return may_see_reports(principal_of(request))


class ReportsView(LogView):
    permission_classes = [permissions.IsAuthenticated, AuditorsOnly]

    @extend_schema(operation_id="list_reports", responses=LISTED)
    def get(self, request: Request) -> Response:
        """Which reports there are, and which controls each speaks to."""
        return Response({"results": [_listed(name) for name in REPORTS]})


def _listed(name: str) -> dict[str, Any]:
    maker = REPORTS[name]
    controls = [{"standard": one.framework, "reference": one.reference, "asks": one.asks} for one in CONTROLS[name]]
    return {"name": name, "title": maker.title, "question": maker.question, "controls": controls}


class ReportView(LogView):
    permission_classes = [permissions.IsAuthenticated, AuditorsOnly]

    @extend_schema(operation_id="get_report", parameters=PARAMETERS, responses=REPORT)
    def get(self, request: Request, name: str) -> Response:
        """One report over a period; the same range of entries always gives the same report."""
        if name not in REPORTS:
            known = f"There is no report {name[:60]!r}. There are: {', '.join(REPORTS)}."
            return problem(404, "unknown-report", "No such report", known)
        if unknown := sorted(set(request.query_params) - set(ASKED)):
            raise ValidationError({unknown[0]: [f"is not known here; known are {', '.join(ASKED)}"]})
        if "period" in request.query_params and {"since", "until"} & set(request.query_params):
            raise ValidationError({"period": ["cannot be given together with since and until: it stands for them"]})
        try:
            asked = asked_for(request.query_params.dict())
            return Response(report_json(make_report(name, asked.period, asked.end)))
        except PeriodError as error:
            raise ValidationError({"period": [str(error)]}) from error
        except ReportError as error:
            return problem(503, "report-impossible", "The report cannot be made", str(error))
