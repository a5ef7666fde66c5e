"""Erasure and archives over REST: auditors read, administrators erase and archive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery import current_app
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from kombu.exceptions import OperationalError
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import ledger
from audit.events import LONGEST_TEXT
from audit.models import Archive
from audit.retention.archives import hold, standing
from audit.retention.erasure import NothingToErase, SubjectState, erase, subjects
from gateway.api.inputs import Input, Text
from gateway.api.outputs import moment
from gateway.api.policy_inputs import Moment
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text, whole
from gateway.api.transparency_views import AuditorsReadAdministratorsChange
from gateway.api.views import principal_of


class AuditorsReadAdministratorsKeep(AuditorsReadAdministratorsChange):
    message = "Erasures and archives are seen by auditors and administrators, and made by administrators."


class ErasureInput(Input):
    subject = Text(max_length=LONGEST_TEXT, help_text="agent:NAME, user:NAME, or whoever agents acted on behalf of.")
    reason = Text(max_length=LONGEST_TEXT, help_text="Why. It is recorded for everybody: name no content.")


class ArchiveInput(Input):
    before = Moment(help_text="What is older moves; not in the future.")

    def validate_before(self, given: datetime) -> datetime:
        if given > timezone.now():
            raise serializers.ValidationError("must not be in the future")
        return given


_SUBJECT: dict[str, Shape] = {
    "subject": text(),
    "since": serializers.DateTimeField(),
    "erased_at": serializers.DateTimeField(allow_null=True),
    "unfinished": serializers.BooleanField(help_text="An erasure was interrupted: erase again."),
}
SUBJECTS = answers(200, shape("Subjects", results=many("Subject", **_SUBJECT)), 403, 503)
ERASED = answers(
    201,
    shape(
        "Erasure",
        subject=text(),
        keys=serializers.ListField(child=serializers.UUIDField()),
        payloads=whole(),
        entry=whole(allow_null=True, help_text="The entry that says so; null if it was erased before."),
    ),
    400, 403, 404, 503,
)  # fmt: skip
_ARCHIVE: dict[str, Shape] = {
    "first": whole(),
    "end": whole(),
    "address": text(),
    "sha256": text(),
    "bytes": whole(),
    "since": serializers.DateTimeField(),
    "until": serializers.DateTimeField(),
    "entry": whole(allow_null=True),
}
_HOLD: dict[str, Shape] = {
    "index": whole(allow_null=True, help_text="Of the entry whose story is not over."),
    "time": serializers.DateTimeField(allow_null=True),
    "what": text(),
}
ARCHIVES = answers(
    200,
    shape(
        "Archives",
        results=many("Archive", **_ARCHIVE),
        retention_days=whole(allow_null=True),
        first=whole(help_text="The first entry that is still in the database."),
        oldest=serializers.DateTimeField(allow_null=True),
        overdue=serializers.BooleanField(),
        held=inline_serializer("Hold", _HOLD, allow_null=True, help_text="What holds retention up, if anything does."),
    ),
    403, 503,
)  # fmt: skip
QUEUED = answers(
    202,
    shape(
        "ArchiveAsked",
        before=serializers.DateTimeField(),
        address=text(),
        entry=whole(help_text="The entry that says who asked."),
    ),
    400, 403, 503,
)  # fmt: skip


class ErasuresView(APIView):
    permission_classes = [permissions.IsAuthenticated, AuditorsReadAdministratorsKeep]

    @extend_schema(operation_id="list_subjects", responses=SUBJECTS)
    def get(self, request: Request) -> Response:
        """Everybody of whom content is or was kept."""
        return Response({"results": [_subject_output(one) for one in subjects()]})

    @extend_schema(operation_id="erase_subject", request=ErasureInput, responses=ERASED)
    def post(self, request: Request) -> Response:
        """Destroys the content that is kept of a subject. It cannot be undone; every hash stays."""
        given = ErasureInput(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            erased = erase(**given.validated_data, actor=principal_of(request).label)
        except NothingToErase:
            return problem(404, "unknown-subject", "No such subject", "No content is kept of a subject of that name.")
        keys = [str(key) for key in erased.keys]
        return Response(
            {"subject": erased.subject, "keys": keys, "payloads": erased.payloads, "entry": erased.entry}, status=201
        )


class ArchivesView(APIView):
    permission_classes = [permissions.IsAuthenticated, AuditorsReadAdministratorsKeep]

    @extend_schema(operation_id="list_archives", responses=ARCHIVES)
    def get(self, request: Request) -> Response:
        """What was moved out of the database, and whether retention keeps up."""
        found, holds = standing(), hold()
        return Response(
            {
                "results": [_archive_output(one) for one in Archive.objects.all()],
                "retention_days": found.days,
                "first": found.first,
                "oldest": moment(found.oldest),
                "overdue": found.overdue,
                "held": holds and {"index": holds.index, "time": moment(holds.time), "what": holds.what},
            }
        )

    @extend_schema(operation_id="archive_entries", request=ArchiveInput, responses=QUEUED)
    def post(self, request: Request) -> Response:
        """A worker moves what is older to where the installation keeps archives; GET shows when it is there."""
        given = ArchiveInput(data=request.data)
        given.is_valid(raise_exception=True)
        before, actor = given.validated_data["before"].isoformat(), principal_of(request).label
        asked = ledger.append("archive.requested", actor=actor, before=before, address=settings.ARCHIVES)
        try:
            current_app.send_task("audit.archive", args=[before, actor], retry=False)
        except OperationalError:
            return problem(503, "service-unavailable", "No worker can be asked", "The broker does not answer.")
        return Response({"before": before, "address": settings.ARCHIVES, "entry": asked.index}, status=202)


def _subject_output(found: SubjectState) -> dict[str, Any]:
    return {
        "subject": found.subject,
        "since": moment(found.since),
        "erased_at": moment(found.erased_at),
        "unfinished": found.unfinished,
    }


def _archive_output(archive: Archive) -> dict[str, Any]:
    return {
        "first": archive.first,
        "end": archive.end,
        "address": archive.address,
        "sha256": archive.sha256,
        "bytes": archive.bytes,
        "since": moment(archive.since),
        "until": moment(archive.until),
        "entry": archive.entry,
    }
