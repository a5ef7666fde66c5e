"""The shapes of answers about policies, for the OpenAPI document only."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from gateway.api.schemas import DECISION, FACTS, REQUIRED, Shape, answers, many, shape, text, whole

VERDICTS = serializers.ChoiceField(choices=["allow", "review", "deny"])
ONE_POLICY: dict[str, Shape] = {
    "id": text(),
    "effect": serializers.ChoiceField(choices=["permit", "review", "forbid"]),
    "line": whole(),
    "message": text(allow_blank=True),
    "remedy": text(allow_blank=True),
}
VERSION: dict[str, Shape] = {
    "version": whole(),
    "active": serializers.BooleanField(),
    "author": text(),
    "comment": text(allow_blank=True),
    "created_at": serializers.DateTimeField(),
}
POLICY_SET_SHAPE = shape("PolicySet", **VERSION, text=text(), policies=many("Policy", **ONE_POLICY))
POLICY_SET = answers(200, POLICY_SET_SHAPE, 403, 404)
VERSIONS = answers(
    200, shape("PolicyVersions", results=many("PolicyVersion", **VERSION), next_offset=whole(allow_null=True)), 400, 403
)
CHANGES = answers(
    200,
    shape(
        "PolicyDifference",
        before=whole(),
        after=whole(),
        changes=many("PolicyChange", policy=text(), what=text(), line=whole(), before=text(), after=text()),
        diff=text(allow_blank=True),
    ),
    400,
    403,
    404,
)
PROBLEMS: dict[str, Shape] = {"line": whole(), "policy": text(allow_blank=True), "reason": text(), "severity": text()}
CHECKED_TEXT = answers(
    200,
    shape(
        "PolicyExamination",
        sound=serializers.BooleanField(),
        problems=many("PolicyProblem", **PROBLEMS),
        warnings=many("PolicyWarning", **PROBLEMS),
        policies=whole(),
    ),
    400,
    403,
)
EXPLAINED = answers(
    200,
    shape(
        "PolicyExplanation",
        datasource=text(),
        principal=text(),
        door=text(),
        decision=DECISION,
        deciding=many("DecidingPolicy", **ONE_POLICY),
        facts=FACTS,
        row_filters=many("RowFilter", schema=text(), relation=text(), condition=text(), policy=text()),
        max_rows=whole(allow_null=True),
        expires_in=whole(allow_null=True),
        statements=serializers.ListField(child=text(), help_text="What would be sent to the database."),
        rewritten=serializers.BooleanField(),
    ),
    400,
    403,
    404,
    503,
)
REPLAYED = answers(
    200,
    shape(
        "PolicyReplay",
        replayed=whole(),
        changed=whole(),
        verdicts=many("ReplayedVerdicts", before=VERDICTS, after=VERDICTS, count=whole()),
        changes=serializers.ListField(child=serializers.DictField()),
        unreplayed=many("Unreplayed", reason=text(), count=whole(), example=whole()),
        since=serializers.DateTimeField(allow_null=True),
        until=serializers.DateTimeField(allow_null=True),
    ),
    400,
    403,
    404,
    503,
)
PROPOSAL_SHAPE = shape(
    "PolicyProposal",
    id=serializers.UUIDField(),
    state=text(),
    author=text(),
    comment=text(allow_blank=True),
    base=whole(),
    version=whole(allow_null=True),
    required=REQUIRED,
    policies=serializers.ListField(child=text()),
    text=text(),
    created_at=serializers.DateTimeField(),
    expires_at=serializers.DateTimeField(),
    decided_at=serializers.DateTimeField(allow_null=True),
    reviews=many(
        "PolicyReview", reviewer=text(), verdict=text(), comment=text(), created_at=serializers.DateTimeField()
    ),
)
APPLIED = {
    **answers(200, POLICY_SET_SHAPE, 400, 403, 503),
    202: OpenApiResponse(
        PROPOSAL_SHAPE, "The active set demands a review: proposed, `Location` leads to the proposal."
    ),
}
PROPOSAL = answers(200, PROPOSAL_SHAPE, 403, 404)
REVIEWED = answers(201, PROPOSAL_SHAPE, 400, 403, 404)
PROPOSALS = answers(
    200,
    shape(
        "PolicyProposals",
        results=serializers.ListField(child=PROPOSAL_SHAPE),
        next_offset=whole(allow_null=True),
    ),
    403,
)
PAGING = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]
WHICH = [OpenApiParameter("which", str, enum=["all", "open"]), *PAGING]
SINCE = [OpenApiParameter("since", OpenApiTypes.INT, description="The older version; the one before, if left out.")]
