"""Verifying the ledger over REST: for auditors and administrators."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.auditors import may_audit
from audit.search import SearchTooBroad
from audit.verification.recorded import Recorded, last_recorded
from audit.verification.recording import Standing, ask_to_verify, standing
from gateway.api.ledger_views import LogView
from gateway.api.problems import problem
from gateway.api.schemas import answers, shape, text, whole
from gateway.api.views import principal_of


class AuditorsOnly(permissions.BasePermission):
    message = "Verifications are asked for and seen by auditors and administrators."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return may_audit(principal_of(request))


_CURRENT = shape(
    "VerificationAsked",
    state=serializers.ChoiceField(choices=["asked", "running", "done", "failed"]),
    under_way=serializers.BooleanField(help_text="False too for one that died: nothing is heard of it."),
    actor=text(),
    asked_at=serializers.DateTimeField(),
    done=whole(help_text="Entries recomputed so far."),
    total=whole(help_text="0 until it is known."),
    problem=text(allow_blank=True, help_text="What kept it from being completed."),
)
_LAST = shape(
    "VerificationRecorded",
    entry=whole(),
    time=serializers.DateTimeField(),
    actor=text(allow_blank=True),
    status=serializers.ChoiceField(choices=["intact", "broken"]),
    size=whole(allow_null=True),
    root=text(allow_blank=True),
    fault=text(allow_blank=True, help_text="What is wrong first."),
)
# Either may be null: none was asked for lately, or none is recorded.
VERIFICATIONS = shape("Verifications", current=_CURRENT, last=_LAST)


class VerificationsView(LogView):
    permission_classes = [permissions.IsAuthenticated, AuditorsOnly]

    @extend_schema(operation_id="get_verifications", responses=answers(200, VERIFICATIONS, 403, 503))
    def get(self, request: Request) -> Response:
        """The one that was asked for last, while it is known, and the last that the log records; null where there is none."""
        try:
            last = last_recorded()
        except SearchTooBroad as error:
            return problem(503, "too-broad", "The last verification cannot be looked up", str(error))
        return Response({"current": _current(standing()), "last": _last(last)}, headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="verify_ledger", request=None, responses=answers(202, VERIFICATIONS, 403, 503))
    def post(self, request: Request) -> Response:
        """A worker recomputes the whole log and records what it finds; GET shows how far it is."""
        if not ask_to_verify(principal_of(request).label):
            return problem(503, "service-unavailable", "No worker can be asked", "The broker does not answer.")
        answer = self.get(request)
        if answer.status_code == 200:
            answer.status_code = 202
        return answer


def _current(found: Standing | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "state": found.state,
        "under_way": found.is_under_way,
        "actor": found.actor,
        "asked_at": found.asked_at,
        "done": found.done,
        "total": found.total,
        "problem": found.problem,
    }


def _last(found: Recorded | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "entry": found.index,
        "time": found.time,
        "actor": found.actor,
        "status": found.status,
        "size": found.size,
        "root": found.root,
        "fault": found.fault,
    }
