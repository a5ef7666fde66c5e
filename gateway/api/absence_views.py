"""Absences over REST: who is away, who speaks for them. For people only."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import absences
from approvals.absences import LONGEST_REASON, AbsenceRefused
from approvals.models import Absence
from gateway.api import schemas
from gateway.api.filters import known_only, one_of, whole_number
from gateway.api.inputs import Input, Text
from gateway.api.outputs import moment
from gateway.api.policy_inputs import Moment
from gateway.api.views import PeopleOnly, principal_of
from identity.models import User
from identity.principals import Principal


class AbsenceInput(Input):
    person = Text(required=False, default="", allow_blank=True, max_length=150, help_text="Oneself, where left out.")
    delegate = Text(max_length=150, help_text="Who reviews meanwhile, for the groups of the person.")
    starts_at = Moment(required=False, default=None, allow_null=True, help_text="Now, where it is left out.")
    ends_at = Moment()
    reason = Text(required=False, default="", allow_blank=True, max_length=LONGEST_REASON)


class AbsencesView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="list_absences", parameters=schemas.ABSENCE_FILTERS, responses=schemas.ABSENCES)
    def get(self, request: Request) -> Response:
        """Absences that this person may see, latest first."""
        known_only(request, "which", "limit", "offset")
        which = one_of(request, "which", ("all", "open"))
        limit, offset = whole_number(request, "limit", 50, 1, 200), whole_number(request, "offset", 0, 0, 1_000_000)
        principal = principal_of(request)
        found = absences.absences_for(principal)
        if which == "open":
            found = found.filter(ended_at__isnull=True, ends_at__gt=timezone.now())
        page = list(found[offset : offset + limit + 1])
        following = offset + limit if len(page) > limit else None
        return Response({"results": [absence_output(one, principal) for one in page[:limit]], "next_offset": following})

    @extend_schema(operation_id="set_absence", request=AbsenceInput, responses=schemas.ABSENCE)
    def post(self, request: Request) -> Response:
        """Be away, and name who speaks meanwhile. Administrators set it for others too, naming anybody but themselves."""
        given = AbsenceInput(data=request.data)
        given.is_valid(raise_exception=True)
        values, principal = given.validated_data, principal_of(request)
        absence = absences.set_absence(
            principal,
            _person(values["person"] or principal.name, "person"),
            _person(values["delegate"], "delegate"),
            starts_at=values["starts_at"] or timezone.now(),
            ends_at=values["ends_at"],
            reason=values["reason"],
        )
        return Response(absence_output(absence, principal), status=201)


class AbsenceEndView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="end_absence", request=None, responses=schemas.ENDED_ABSENCE)
    def post(self, request: Request, absence_id: uuid.UUID) -> Response:
        """Back early. By the person, whoever stands in, or an administrator."""
        principal = principal_of(request)
        return Response(absence_output(absences.end_absence(principal, absence_id), principal))


def absence_output(absence: Absence, viewer: Principal) -> dict[str, Any]:
    return {
        "id": str(absence.pk),
        "person": absence.person.username,
        "delegate": absence.delegate.username,
        "starts_at": moment(absence.starts_at),
        "ends_at": moment(absence.ends_at),
        "ended_at": moment(absence.ended_at),
        "reason": absence.reason if absences.may_know_why(absence, viewer) else None,
        "created_by": absence.created_by,
    }


def _person(name: str, field: str) -> User:
    user = User.objects.filter(username=name).first() if "\x00" not in name else None
    if user is None:
        raise AbsenceRefused(f"There is nobody called {name[:150]!r}.", field=field)
    return user
