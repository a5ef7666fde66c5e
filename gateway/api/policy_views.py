"""Policies over REST: administrators read, check, explain, replay and apply; people review what was proposed."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gateway.api import policy_schemas as schemas
from gateway.api.filters import one_of, whole_number
from gateway.api.outputs import moment
from gateway.api.policy_inputs import (
    MOST_REPLAYED,
    PolicyApplyInput,
    PolicyExplainInput,
    PolicyReplayInput,
    PolicyReviewInput,
    PolicyTextInput,
    since_or_week,
)
from gateway.api.views import PeopleOnly, principal_of
from governance.assessment import Asking
from governance.datasources import fetch_datasource_for
from governance.models import PolicyProposal, PolicySet
from governance.policy import proposals, store
from governance.policy.askers import principal_labelled
from governance.policy.changes import changes_between, unified_diff
from governance.policy.explanation import explain, explanation_json, policy_json
from governance.policy.problems import PolicyError
from governance.policy.program import PolicyProgram
from governance.policy.replaying import Wanted, replay, replay_json
from governance.policy.surroundings import examine
from identity.principals import Principal

M = TypeVar("M", bound=models.Model)


class AdministratorsOnly(permissions.BasePermission):
    message = "This is for administrators."

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = principal_of(request)
        return principal.is_person and principal.is_administrator


class PolicyView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="get_policy", responses=schemas.POLICY_SET)
    def get(self, request: Request) -> Response:
        """The active policy set."""
        return Response(policy_set_output(store.fetch_version()))


class VersionsView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="list_policy_versions", parameters=schemas.PAGING, responses=schemas.VERSIONS)
    def get(self, request: Request) -> Response:
        """Newest first."""
        return _page(request, store.versions(), version_output)


class VersionView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="get_policy_version", responses=schemas.POLICY_SET)
    def get(self, request: Request, version: int) -> Response:
        return Response(policy_set_output(store.fetch_version(version)))


class ChangesView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="diff_policy_version", parameters=schemas.SINCE, responses=schemas.CHANGES)
    def get(self, request: Request, version: int) -> Response:
        """What this version changed, by policy and as a unified diff."""
        older = whole_number(request, "since", max(1, version - 1), 1, 2**31 - 1)
        before, after = store.fetch_version(older), store.fetch_version(version)
        changes = changes_between(store.program_of(before), store.program_of(after))
        return Response(
            {
                "before": older,
                "after": version,
                "changes": [dataclasses.asdict(change) for change in changes],
                "diff": unified_diff(before.text, after.text, f"version {older}", f"version {version}"),
            }
        )


class CheckTextView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="check_policy", request=PolicyTextInput, responses=schemas.CHECKED_TEXT)
    def post(self, request: Request) -> Response:
        """Is this a sound policy set? Nothing changes."""
        found = examine(_given(PolicyTextInput, request)["text"])
        return Response(
            {
                "sound": found.is_sound,
                "problems": [dataclasses.asdict(problem) for problem in found.problems],
                "warnings": [dataclasses.asdict(warning) for warning in found.warnings],
                "policies": len(found.program.policies) if found.program else 0,
            }
        )


class ExplainView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="explain_policy", request=PolicyExplainInput, responses=schemas.EXPLAINED)
    def post(self, request: Request) -> Response:
        """What the active set, or the given one, says of a statement as somebody's. Nothing is run."""
        given = _given(PolicyExplainInput, request)
        program = store.active() if given["text"] is None else _sound(given["text"])
        datasource = fetch_datasource_for(principal_of(request), given["datasource"])
        asking = Asking(
            principal_labelled(given["as"]), given["door"], purpose=given["purpose"], on_behalf_of=given["on_behalf_of"]
        )
        return Response(explanation_json(explain(program, datasource, given["sql"], asking)))


class ReplayView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="replay_policy", request=PolicyReplayInput, responses=schemas.REPLAYED)
    def post(self, request: Request) -> Response:
        """What would this set have decided of the newest recorded statements? Nothing is run."""
        given = _given(PolicyReplayInput, request)
        if given["datasource"]:
            fetch_datasource_for(principal_of(request), given["datasource"])
        wanted = Wanted(
            since=since_or_week(given["since"]), datasource=given["datasource"] or None, limit=given["limit"]
        )
        return Response(replay_json(replay(_sound(given["text"]), wanted), most=MOST_REPLAYED))


class ApplyView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="apply_policy", request=PolicyApplyInput, responses=schemas.APPLIED)
    def post(self, request: Request) -> Response:
        """Put a set into force; or propose it, where the active set demands a review."""
        given = _given(PolicyApplyInput, request)
        author = proposals.author_of(principal_of(request), "rest")
        submitted = proposals.submit(given["text"], author, given["comment"])
        if submitted.proposal is None:
            return Response(policy_set_output(store.fetch_version()))
        location = f"/api/v1/policy/proposals/{submitted.proposal.pk}"
        return Response(proposal_output(submitted.proposal), status=202, headers={"Location": location})


class ProposalsView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="list_policy_proposals", parameters=schemas.WHICH, responses=schemas.PROPOSALS)
    def get(self, request: Request) -> Response:
        """Proposed policy sets that this person may see, newest first."""
        which = one_of(request, "which", ("all", "open"))
        found = proposals.open_proposals() if which == "open" else proposals.proposals()
        return _page(request, proposals.visible_to(principal_of(request), found), proposal_output)


class ProposalView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="get_policy_proposal", responses=schemas.PROPOSAL)
    def get(self, request: Request, proposal_id: uuid.UUID) -> Response:
        return Response(proposal_output(_visible(principal_of(request), proposal_id)))


class ProposalReviewsView(APIView):
    permission_classes = [permissions.IsAuthenticated, PeopleOnly]

    @extend_schema(operation_id="review_policy_proposal", request=PolicyReviewInput, responses=schemas.REVIEWED)
    def post(self, request: Request, proposal_id: uuid.UUID) -> Response:
        """Approve or reject. Nobody reviews their own (P5)."""
        given = _given(PolicyReviewInput, request)
        _visible(principal_of(request), proposal_id)
        reviewed = proposals.review(proposal_id, principal_of(request), given["verdict"], given["comment"])
        return Response(proposal_output(reviewed), status=201)


# --- Shared -------------------------------------------------------------------------------------------------------


def _given(serializer: Callable[..., Any], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    found: dict[str, Any] = given.validated_data
    return found


def _sound(text: str) -> PolicyProgram:
    found = examine(text)
    if found.program is None:
        raise PolicyError(found.problems)
    return found.program


def _visible(principal: Principal, proposal_id: uuid.UUID) -> PolicyProposal:
    """Raises `UnknownProposal`, also for one that is not theirs to see."""
    proposal = proposals.visible_to(principal, proposals.proposals()).filter(pk=proposal_id).first()
    if proposal is None:
        raise proposals.UnknownProposal("There is none, or it is not yours to see.")
    return proposal


def _page(request: Request, found: QuerySet[M], output: Callable[[M], dict[str, Any]]) -> Response:
    limit, offset = whole_number(request, "limit", 50, 1, 200), whole_number(request, "offset", 0, 0, 1_000_000)
    page = list(found[offset : offset + limit + 1])
    following = offset + limit if len(page) > limit else None
    return Response({"results": [output(one) for one in page[:limit]], "next_offset": following})


def version_output(stored: PolicySet) -> dict[str, Any]:
    return {
        "version": stored.version,
        "active": stored.is_active,
        "author": stored.author,
        "comment": stored.comment,
        "created_at": moment(stored.created_at),
    }


def policy_set_output(stored: PolicySet) -> dict[str, Any]:
    """A version that this release does not accept any more is shown as the text that it is."""
    try:
        policies = store.program_of(stored).policies.values()
    except PolicyError:
        policies = {}.values()
    ordered = sorted(policies, key=lambda policy: policy.line)
    return {**version_output(stored), "text": stored.text, "policies": [policy_json(policy) for policy in ordered]}


def proposal_output(proposal: PolicyProposal) -> dict[str, Any]:
    return {
        "id": str(proposal.pk),
        "state": proposal.state,
        "author": proposal.author_name,
        "comment": proposal.comment,
        "base": proposal.base,
        "version": proposal.version,
        "required": proposal.required,
        "policies": proposal.policies,
        "text": proposal.text,
        "created_at": moment(proposal.created_at),
        "expires_at": moment(proposal.expires_at),
        "decided_at": moment(proposal.decided_at),
        "reviews": [
            {
                "reviewer": review.reviewer.username,
                "verdict": review.verdict,
                "comment": review.comment,
                "created_at": moment(review.created_at),
            }
            for review in proposal.reviews.all()
        ],
    }
