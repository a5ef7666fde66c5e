"""The shapes of answers about standing permissions, for the OpenAPI document only."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from approvals.grants.finding import Status
from approvals.grants.listing import WHICH
from approvals.models import Grant
from gateway.api.schemas import REQUIRED, answers, many, perhaps, shape, text, whole

KIND = serializers.ChoiceField(choices=Grant.Kind.values)
GRANT_FIELDS = {
    "id": serializers.UUIDField(),
    "url": text(),
    "kind": KIND,
    "status": serializers.ChoiceField(choices=[one.value for one in Status]),
    "principal": text(),
    "owner": text(),
    "datasource": text(),
    "environment": text(),
    "group": text(allow_blank=True, help_text="Of an elevation."),
    "statement": text(allow_blank=True, help_text="What is covered, without its values."),
    "fingerprint": text(allow_blank=True),
    "relations": serializers.ListField(child=text()),
    "row_bound": whole(allow_null=True, help_text="How many rows one run may change."),
    "uses": whole(),
    "max_uses": whole(allow_null=True),
    "reason": text(allow_blank=True),
    "given_by": serializers.ListField(child=text()),
    "required": REQUIRED,
    "request": serializers.UUIDField(allow_null=True),
    "created_at": serializers.DateTimeField(),
    "expires_at": serializers.DateTimeField(),
    "revoked_at": serializers.DateTimeField(allow_null=True),
    "revoked_by": text(allow_blank=True),
}
GRANT_SHAPE = shape("Grant", **GRANT_FIELDS)
ONE_GRANT_SHAPE = shape(
    "GrantWithUses",
    **GRANT_FIELDS,
    used=many("GrantUse", query=serializers.UUIDField(), statement=text(), at=serializers.DateTimeField()),
)
GRANTS = answers(
    200, shape("Grants", results=serializers.ListField(child=GRANT_SHAPE), next_offset=whole(allow_null=True)), 400
)
GRANT = answers(200, ONE_GRANT_SHAPE, 404)
CHANGED_GRANT = answers(200, ONE_GRANT_SHAPE, 400, 403, 404, 409, 422, 503)
BROKEN_GLASS = answers(201, ONE_GRANT_SHAPE, 400, 403, 404, 422, 503)
_ELEVATED = shape(
    "Elevation",
    status=serializers.ChoiceField(choices=["parked", "given", "rejected", "withdrawn", "expired"]),
    comment=text(allow_blank=True, help_text="Why it was rejected."),
    request=perhaps(
        "ElevationRequest",
        id=serializers.UUIDField(),
        url=text(),
        state=text(),
        required=REQUIRED,
        expires_at=serializers.DateTimeField(),
        revision=whole(min_value=1),
        run_at=serializers.DateTimeField(allow_null=True),
        not_before=serializers.DateTimeField(allow_null=True),
    ),
    grant=perhaps("ElevationGrant", **GRANT_FIELDS),
)
# Given at once, by a permit without a review; or waiting for people.
ELEVATION = {**answers(201, _ELEVATED), **answers(202, _ELEVATED, 400, 403, 404, 422, 503)}
ONE_ELEVATION = answers(200, _ELEVATED, 404)
FILTERS = [
    OpenApiParameter("which", str, enum=list(WHICH)),
    OpenApiParameter("kind", str, enum=["", *Grant.Kind.values]),
    OpenApiParameter("datasource", str),
    OpenApiParameter("principal", str, description="`agent:NAME`, `user:NAME`, or the bare name."),
    OpenApiParameter("limit", int),
    OpenApiParameter("offset", int),
]
