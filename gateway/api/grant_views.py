"""Standing permissions over REST. Agents see their own, ask to be elevated, and give theirs up; people do the rest."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import services as approvals
from approvals.errors import UnknownRequest
from approvals.grants import services as grants
from approvals.grants.asking import LONGEST_REASON
from approvals.grants.bounds import MOST_RUNS
from approvals.grants.listing import WHICH, Wanted, listed
from approvals.models import Grant, GrantUse, Verdict
from approvals.models import Request as Asked
from approvals.states import State
from audit.ledger import LedgerUnavailable
from gateway.api import grant_schemas as schemas
from gateway.api.filters import known_only, one_of, whole_number
from gateway.api.inputs import Input, Text, WholeNumber
from gateway.api.outputs import moment, waiting_output
from gateway.api.policy_inputs import Moment
from gateway.api.views import principal_of
from governance.errors import ServiceUnavailable

MOST_USES = 200
_MINUTES = "For how long."


class NarrowInput(Input):
    max_uses = WholeNumber(required=False, default=None, allow_null=True, min_value=1, max_value=MOST_RUNS)
    expires_at = Moment(required=False, default=None, allow_null=True)
    row_bound = WholeNumber(required=False, default=None, allow_null=True, min_value=0, max_value=2**62)
    comment = Text(required=False, default="", allow_blank=True, max_length=LONGEST_REASON)


class RevokeInput(Input):
    comment = Text(required=False, default="", allow_blank=True, max_length=LONGEST_REASON)


class ElevationInput(Input):
    datasource = Text(max_length=63)
    group = Text(max_length=150)
    minutes = WholeNumber(min_value=1, max_value=10_080, help_text=_MINUTES)
    reason = Text(max_length=LONGEST_REASON, help_text="What has to be done, and why it cannot be done as usual.")
    agent = Text(required=False, default="", allow_blank=True, max_length=63, help_text="An agent of one's own.")


class BreakGlassInput(Input):
    datasource = Text(max_length=63)
    reason = Text(max_length=LONGEST_REASON, help_text="What the emergency is.")
    minutes = WholeNumber(
        required=False, default=None, allow_null=True, min_value=1, max_value=1440, help_text=_MINUTES
    )
    runs = WholeNumber(required=False, default=None, allow_null=True, min_value=1, max_value=MOST_RUNS)


class GrantsView(APIView):
    @extend_schema(operation_id="list_grants", parameters=schemas.FILTERS, responses=schemas.GRANTS)
    def get(self, request: Request) -> Response:
        """Standing permissions that this principal may see, newest first."""
        known_only(request, "which", "kind", "datasource", "principal", "limit", "offset")
        wanted = Wanted(
            which=one_of(request, "which", WHICH),
            kind=one_of(request, "kind", ("", *Grant.Kind.values)),
            datasource=_plain(request, "datasource"),
            principal=_plain(request, "principal"),
        )
        limit, offset = whole_number(request, "limit", 50, 1, 200), whole_number(request, "offset", 0, 0, 1_000_000)
        page = list(listed(principal_of(request), wanted)[offset : offset + limit + 1])
        following = offset + limit if len(page) > limit else None
        return Response({"results": [grant_output(one) for one in page[:limit]], "next_offset": following})


class GrantView(APIView):
    @extend_schema(operation_id="get_grant", responses=schemas.GRANT)
    def get(self, request: Request, grant_id: uuid.UUID) -> Response:
        """One, with the queries that used it, newest first."""
        return Response(_whole(grants.fetch_grant_for(principal_of(request), grant_id)))


class GrantNarrowView(APIView):
    @extend_schema(operation_id="narrow_grant", request=NarrowInput, responses=schemas.CHANGED_GRANT)
    def post(self, request: Request, grant_id: uuid.UUID) -> Response:
        """Fewer runs, an earlier end, fewer rows. It is never made wider."""
        given = _given(NarrowInput, request)
        return Response(_whole(_recorded(lambda: grants.narrow(grant_id, principal_of(request), **given))))


class GrantRevokeView(APIView):
    @extend_schema(operation_id="revoke_grant", request=RevokeInput, responses=schemas.CHANGED_GRANT)
    def post(self, request: Request, grant_id: uuid.UUID) -> Response:
        """At once: what runs under it is broken off at the database. Whoever has it gives it up so."""
        given = _given(RevokeInput, request)
        return Response(_whole(_recorded(lambda: grants.revoke(grant_id, principal_of(request), given["comment"]))))


class ElevationsView(APIView):
    @extend_schema(operation_id="request_elevation", request=ElevationInput, responses=schemas.ELEVATION)
    def post(self, request: Request) -> Response:
        """Ask to count as a member of a group for a while, for the statements on one data source."""
        given = _given(ElevationInput, request)
        found = _recorded(
            lambda: grants.request_elevation(
                principal_of(request), given["datasource"], given["group"], minutes=given["minutes"],
                reason=given["reason"], agent=given["agent"], door="rest",
            )
        )  # fmt: skip
        if found.request is None:
            return Response(_elevation(None, found.grant), status=201)
        where = {"Location": f"/api/v1/elevations/{found.request.pk}"}
        return Response(_elevation(found.request, None), status=202, headers=where)


class ElevationView(APIView):
    @extend_schema(operation_id="get_elevation", responses=schemas.ONE_ELEVATION)
    def get(self, request: Request, request_id: uuid.UUID) -> Response:
        """What became of one that was asked for. Agents, which do not address requests, follow theirs here."""
        found = approvals.fetch_request_for(principal_of(request), request_id)
        if found.kind != Asked.Kind.ELEVATION:
            raise UnknownRequest
        return Response(_elevation(found, found.grants.first()))


class BreakGlassView(APIView):
    @extend_schema(operation_id="break_glass", request=BreakGlassInput, responses=schemas.BROKEN_GLASS)
    def post(self, request: Request) -> Response:
        """In an emergency: what would wait for people runs at once. Everybody hears of it, and somebody else looks at all of
        it afterwards. For people only."""
        given = _given(BreakGlassInput, request)
        grant = _recorded(
            lambda: grants.break_glass(
                principal_of(request), given["datasource"], reason=given["reason"], minutes=given["minutes"],
                runs=given["runs"], door="rest",
            )
        )  # fmt: skip
        return Response(_whole(grant), status=201)


# --- Shared -------------------------------------------------------------------------------------------------------


def grant_output(grant: Grant) -> dict[str, Any]:
    return {
        "id": str(grant.pk),
        "url": f"{settings.PUBLIC_URL}/grants/{grant.pk}/",
        "kind": grant.kind,
        "status": grants.status_of(grant).value,
        "principal": grant.principal,
        "owner": grant.owner.username,
        "datasource": grant.datasource.name,
        "environment": grant.datasource.environment,
        "group": grant.group,
        "statement": grant.normal,
        "fingerprint": grant.fingerprint,
        "relations": grant.relations,
        "row_bound": grants.open_bound_of(grant) if grant.kind == Grant.Kind.STATEMENT else None,
        "uses": grant.uses,
        "max_uses": grant.max_uses,
        "reason": grant.reason,
        "given_by": [review.reviewer.username for review in grants.approvers_of(grant)],
        "required": [{"group": one["group"], "quorum": one["quorum"]} for one in grant.required],
        "request": str(grant.request_id) if grant.request_id else None,
        "created_at": moment(grant.created_at),
        "expires_at": moment(grant.expires_at),
        "revoked_at": moment(grant.revoked_at),
        "revoked_by": grant.revoked_by,
    }


def _elevation(request: Asked | None, grant: Grant | None) -> dict[str, Any]:
    rejected = request.reviews.filter(verdict=Verdict.REJECT).first() if request is not None else None
    status = "given" if request is None or grant is not None else request.state
    return {
        "status": "parked" if status == State.PENDING else status,
        "comment": rejected.comment if rejected is not None else "",
        "request": waiting_output(request) if request is not None else None,
        "grant": grant_output(grant) if grant is not None else None,
    }


def _whole(grant: Grant) -> dict[str, Any]:
    used = GrantUse.objects.filter(grant=grant)[:MOST_USES]
    told = [{"query": str(use.query), "statement": use.normal, "at": moment(use.used_at)} for use in used]
    return {**grant_output(grant), "used": told}


def _recorded(act: Callable[[], Any]) -> Any:
    """What the ledger does not take did not happen."""
    try:
        return act()
    except LedgerUnavailable as error:
        raise ServiceUnavailable("The ledger cannot record it, so nothing was changed.", remedy="Try again.") from error


def _given(serializer: Callable[..., Any], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    found: dict[str, Any] = given.validated_data
    return found


def _plain(request: Request, name: str) -> str:
    """NUL is in no name, and the database does not take it."""
    return request.query_params.get(name, "").replace("\x00", "\ufffd")[:160]
