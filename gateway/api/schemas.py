"""The shapes of answers, for the OpenAPI document only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from approvals.searching import STATES as REQUEST_STATES

Shape = serializers.Field[Any, Any, Any, Any]


def text(**options: Any) -> serializers.CharField:
    return serializers.CharField(**options)


def whole(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(**options)


def shape(name: str, /, **fields: Shape) -> Any:
    return inline_serializer(name, fields=dict(fields))


def perhaps(name: str, /, **fields: Shape) -> Any:
    """A shape, or null."""
    return inline_serializer(name, fields=dict(fields), allow_null=True)


def many(name: str, /, **fields: Shape) -> Any:
    return serializers.ListField(child=shape(name, **fields))


PROBLEM = shape(
    "Problem",
    type=text(),
    title=text(),
    status=whole(),
    code=text(),
    detail=text(required=False),
    remedy=text(required=False),
    place=whole(required=False, help_text="Character offset into the statement."),
    sqlstate=text(required=False),
)
RISK_PARTS = many("RiskPart", points=whole(), reason=text())
DECISION = shape(
    "Decision",
    verdict=serializers.ChoiceField(choices=["allow", "review", "deny"]),
    risk=whole(min_value=0, max_value=100),
    risk_parts=RISK_PARTS,
    policies=serializers.ListField(child=text()),
    message=text(),
    remedy=text(allow_blank=True),
)
LEDGER = shape("LedgerPlace", index=whole(), leaf=text())
COLUMNS = many("ResultColumn", name=text(), type=text(), masked=serializers.BooleanField())
REQUIRED = many("RequiredReview", group=text(), quorum=whole())
RESULT_SHAPE = shape(
    "Result",
    id=serializers.UUIDField(),
    status=text(),
    fingerprint=text(),
    decision=DECISION,
    columns=COLUMNS,
    rows=serializers.ListField(child=serializers.ListField(child=serializers.JSONField(allow_null=True))),
    row_count=whole(),
    truncated=serializers.BooleanField(),
    duration_ms=serializers.FloatField(),
    ledger=LEDGER,
)
WAITING = shape(
    "WaitingRequest",
    id=serializers.UUIDField(),
    url=text(),
    state=text(),
    required=REQUIRED,
    expires_at=serializers.DateTimeField(),
    revision=whole(min_value=1),
    run_at=serializers.DateTimeField(allow_null=True),
    not_before=serializers.DateTimeField(allow_null=True),
)
PARKED = shape(
    "Parked",
    id=serializers.UUIDField(),
    status=text(),
    fingerprint=text(),
    request=WAITING,
    decision=DECISION,
    ledger=LEDGER,
)
FACTS = serializers.DictField(help_text="Kinds, relations, functions, hazards, what is unknown, and more.")
QUERY_SHAPE = shape(
    "Query",
    id=serializers.UUIDField(),
    status=text(),
    datasource=text(),
    door=text(),
    principal=text(),
    decision=DECISION,
    facts=FACTS,
    row_count=whole(allow_null=True),
    duration_ms=serializers.FloatField(allow_null=True),
    created_at=serializers.DateTimeField(),
    finished_at=serializers.DateTimeField(allow_null=True),
    problem=serializers.DictField(allow_null=True),
    ledger=LEDGER,
)
IMPACT = perhaps(
    "Impact",
    state=serializers.ChoiceField(choices=["waiting", "measuring", "measured", "unmeasured"]),
    sentence=text(allow_null=True, help_text="What it would do, in one sentence."),
    problem=text(allow_null=True, help_text="Why it was not measured."),
    rows=whole(allow_null=True, help_text="How many rows it changed when it was tried out and rolled back."),
    estimated_rows=whole(allow_null=True, help_text="The planner's estimate."),
    table_rows=whole(allow_null=True, help_text="How many rows the largest relation that it names has."),
    row_bound=whole(allow_null=True),
    duration_ms=serializers.FloatField(allow_null=True),
    measured_at=serializers.DateTimeField(allow_null=True),
    waiting=whole(help_text="Sessions that waited behind the trial run."),
    sequences=serializers.ListField(
        child=text(), help_text="It takes numbers from these; no rollback gives them back."
    ),
    rewritten=serializers.ListField(child=text(), help_text="Relations that it would write anew, whole."),
    failure=perhaps("ImpactFailure", sqlstate=text(), sentence=text()),
    undo=perhaps("ImpactUndo", possible=serializers.BooleanField(), why=text()),
    **{
        name: serializers.ListField(child=serializers.DictField())
        for name in ("changes", "triggers", "locks", "samples", "sizes")
    },
)
REQUEST_SHAPE = shape(
    "Request",
    id=serializers.UUIDField(),
    url=text(),
    state=text(),
    required=REQUIRED,
    expires_at=serializers.DateTimeField(),
    datasource=text(),
    environment=text(),
    requester=text(),
    owner=text(),
    sql=text(),
    reverts=text(
        allow_null=True, help_text="The request whose change this one takes back; its parameters are not shown."
    ),
    digest=text(),
    purpose=text(),
    risk=whole(),
    decision=DECISION,
    facts=FACTS,
    reviews=many(
        "Review",
        reviewer=text(),
        delegated_by=text(allow_null=True, help_text="The absent person for whom the reviewer spoke."),
        verdict=text(),
        comment=text(),
        revision=whole(help_text="It counts if this is the revision of the request."),
        created_at=serializers.DateTimeField(),
    ),
    kind=serializers.ChoiceField(choices=["statement", "elevation", "afterwards"]),
    revision=whole(help_text="How often it has been edited, and one."),
    terms=serializers.DictField(help_text="step_up, windows, grantable and remind_after, as policy demands."),
    run_at=serializers.DateTimeField(allow_null=True),
    not_before=serializers.DateTimeField(allow_null=True, help_text="When it may run, once it is approved."),
    row_bound=whole(allow_null=True, help_text="How many rows it may change at most, where that is known."),
    outside_transaction=serializers.BooleanField(
        help_text="It cannot be rolled back, nor its fate be asked for later."
    ),
    follows=text(allow_null=True, help_text="The request that drifted, and that this one asks for again."),
    drift=many(
        "Drift",
        what=serializers.ChoiceField(["schema", "policy", "size", "role", "reviews", "statement", "requester"]),
        detail=text(help_text="What was no longer as approved when it was to run."),
    ),
    progress=many(
        "Progress",
        group=text(),
        quorum=whole(),
        given=whole(),
        stage=whole(),
        open=serializers.BooleanField(help_text="Its turn has come."),
        escalate_to=text(allow_null=True),
        escalated=serializers.BooleanField(help_text="Members of `escalate_to` may stand in by now."),
    ),
    impact=IMPACT,
)


def answers(status: int, body: Any, *refusals: int) -> dict[int, Any]:
    described = {code: OpenApiResponse(PROBLEM, "A problem document (RFC 9457).") for code in (401, *refusals)}
    return {status: body, **described}


SUBMITTED = {
    **answers(200, RESULT_SHAPE, 400, 403, 404, 409, 413, 422, 429, 502, 503),
    202: OpenApiResponse(PARKED, "Parked for review; `Location` leads to the query."),
}
QUERY = answers(200, QUERY_SHAPE, 404, 503)
RESULT = answers(200, RESULT_SHAPE, 403, 404, 409, 410, 422, 503)
CHECKED = answers(
    200, shape("Checked", facts=FACTS, decision=DECISION, required=REQUIRED, fingerprint=text()), 400, 404, 503
)
DATASOURCE_SHAPE: dict[str, Shape] = {
    "name": text(),
    "engine": text(),
    "environment": text(),
    "max_rows": whole(),
    "statement_timeout_ms": whole(),
}
DATASOURCES = answers(200, shape("DataSources", results=many("DataSource", **DATASOURCE_SHAPE)))
RELATIONS = serializers.ListField(child=serializers.DictField())
CATALOGUE = answers(200, shape("Catalogue", **DATASOURCE_SHAPE, version=whole(), relations=RELATIONS), 404)
REQUEST = answers(200, REQUEST_SHAPE, 400, 403, 404)
CHANGED_REQUEST = answers(201, REQUEST_SHAPE, 400, 403, 404, 409, 503)
EDITED_QUERY = answers(202, PARKED, 400, 403, 404, 409, 503)
REQUESTS = answers(
    200,
    shape(
        "Requests",
        results=serializers.ListField(child=REQUEST_SHAPE),
        next=text(allow_null=True, help_text="`after` of the following page."),
        next_offset=whole(allow_null=True, help_text="`offset` of the following page, for who counts rows."),
    ),
    400,
    403,
)
ABSENCE_SHAPE = shape(
    "Absence",
    id=serializers.UUIDField(),
    person=text(),
    delegate=text(help_text="Reviews for the groups of the person, while it lasts."),
    starts_at=serializers.DateTimeField(),
    ends_at=serializers.DateTimeField(),
    ended_at=serializers.DateTimeField(allow_null=True, help_text="When the person was back early."),
    reason=text(allow_null=True, help_text="Null for whom it is not."),
    created_by=text(),
)
ABSENCE = answers(201, ABSENCE_SHAPE, 400, 403, 503)
ENDED_ABSENCE = answers(200, ABSENCE_SHAPE, 403, 404, 409, 503)
ABSENCES = answers(
    200, shape("Absences", results=serializers.ListField(child=ABSENCE_SHAPE), next_offset=whole(allow_null=True)), 400
)
ABSENCE_FILTERS = [
    OpenApiParameter("which", str, enum=["all", "open"]),
    OpenApiParameter("limit", int),
    OpenApiParameter("offset", int),
]
ENTRIES = answers(
    200,
    shape(
        "Entries",
        results=serializers.ListField(child=serializers.DictField()),
        before=whole(allow_null=True, help_text="`before` of the page of older entries."),
        after=whole(allow_null=True, help_text="`after` of the page of newer entries."),
        behind=whole(help_text="How many of the newest entries cannot be found yet; nearly always 0."),
        archived=whole(help_text="How many of these entries came from archives."),
    ),
    400,
)
REQUEST_FILTERS = [
    OpenApiParameter(
        "which",
        str,
        enum=["all", "waiting", "mine", "asked", "decided"],
        description="`mine`: you may review it now; `asked`: by you or an agent of yours.",
    ),
    OpenApiParameter("state", str, enum=REQUEST_STATES, description="`open`: not ended; `ended`: in any way."),
    OpenApiParameter("datasource", str, description="The data source."),
    OpenApiParameter("environment", str, enum=["dev", "staging", "prod"]),
    OpenApiParameter("principal", str, description="Who asked, like `agent:name` or `user:name`."),
    OpenApiParameter("group", str, description="A group whose approval it needs."),
    OpenApiParameter("kind", str, enum=["statement", "elevation", "afterwards"]),
    OpenApiParameter("risk_min", int, description="The least risk, from 0 to 100."),
    OpenApiParameter("text", str, description="Text in the statement without its constants, or in the purpose."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Asked from this time on."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Asked before this time."),
    OpenApiParameter("sort", str, enum=["newest", "expires", "risk"]),
    OpenApiParameter("after", str, description="The `next` of the page before."),
    OpenApiParameter("limit", int, description="How many, from 1 to 200; 50 where it is not given."),
    OpenApiParameter("offset", int, description="How many to leave out, instead of `after`."),
]
_ANY_OF = {
    "principal": "Who acted, like `agent:name` or `user:name`.",
    "on_behalf_of": "For whom it was.",
    "actor": "Who decided or changed something, like `user:name`.",
    "datasource": "The data source.",
    "relation": "A relation that the statement touched, like `schema.table`.",
    "class": "A class of sensitive data that the statement touched.",
    "policy": "A policy that decided.",
    "status": "How it ended, like `executed` or `failed`.",
    "kind": "The kind of event, like `statement.outcome`.",
    "fingerprint": "The statement's fingerprint.",
    "run": "The agent's run.",
    "query": "The query's id.",
    "request": "The request's id.",
}
ENTRY_FILTERS = [
    *(
        OpenApiParameter(name, OpenApiTypes.DATETIME, description=what)
        for name, what in (("since", "From this time on."), ("until", "Before this time."))
    ),
    *(
        OpenApiParameter(name, str, many=True, description=f"{what} Repeat it for any of several.")
        for name, what in _ANY_OF.items()
    ),
    OpenApiParameter("verdict", str, many=True, enum=["allow", "review", "deny"], description="The decision."),
    OpenApiParameter("risk_min", int, description="The least risk, from 0 to 100."),
    OpenApiParameter("text", str, description="Text in the statement without its constants, in either case."),
    OpenApiParameter("before", int, description="Entries with a lower index: the page of older ones."),
    OpenApiParameter("after", int, description="Entries with a higher index: the page of newer ones."),
    OpenApiParameter("limit", int, description="How many, from 1 to 500; 50 where it is not given."),
]
