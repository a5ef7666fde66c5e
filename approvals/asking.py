"""What is asked for becomes a request: its row, its first revision and its entry, within the caller's transaction."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from approvals.models import Grant, Request, Revision
from approvals.moving import record
from approvals.quorum import demands_of
from approvals.signals import request_noted
from governance.models import DataSource
from governance.policy.decision import RequiredReview, Terms
from identity.models import User
from identity.principals import Principal


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a statement with its digest, who asked, and what was decided about it. JSON-ready values.

    For an elevation or a review afterwards (`kind`), `sql` and `params` are empty, `normal` says in a line what it is
    about, and `asked` or `grant` holds the matter itself. `bound` is as in `Request`.
    """

    requester: Principal
    datasource: DataSource
    sql: str
    params: list[Any]
    normal: str
    fingerprint: str
    digest: str
    purpose: str
    on_behalf_of: str
    risk: int
    risk_parts: list[dict[str, Any]]
    facts: dict[str, Any]
    decision: dict[str, Any]
    required: list[RequiredReview]
    expires_in: int
    relations: list[str]
    terms: Terms = field(default_factory=Terms)
    kind: str = Request.Kind.STATEMENT
    asked: dict[str, Any] = field(default_factory=dict)
    bound: dict[str, Any] = field(default_factory=dict)
    grant: Grant | None = None
    carrier: str = Request.Carrier.WORKER
    outside_transaction: bool = False
    follows: Request | None = None
    reverts: Request | None = None
    run_at: datetime | None = None
    row_bound: int | None = None
    row_floor: int | None = None
    # Who answers for it besides whoever does for the requester now: what drifted is asked again as it was asked (P5).
    owner: User | None = None


def create_request(asked: Asked) -> Request:
    """Within the caller's transaction."""
    request = Request.objects.create(
        datasource=asked.datasource,
        requester=asked.requester.label,
        agent_id=None if asked.requester.is_person else asked.requester.id,
        owner_id=asked.owner.pk if asked.owner is not None else asked.requester.owner_id,
        purpose=asked.purpose,
        on_behalf_of=asked.on_behalf_of,
        kind=asked.kind,
        grant=asked.grant,
        carrier=asked.carrier,
        follows=asked.follows,
        reverts=asked.reverts,
        run_at=asked.run_at,
        row_bound=asked.row_bound,
        row_floor=asked.row_floor,
        **columns_of(asked),
    )
    note_revision(request, asked.requester.label)
    request_noted.send(Request, request=request, event="asked")
    record(
        request,
        "request.created",
        fingerprint=asked.fingerprint,
        relations=asked.relations,
        required=told(asked.required),
        expires_at=request.expires_at.isoformat(),
    )
    return request


def columns_of(asked: Asked) -> dict[str, Any]:
    """What follows from the statement and the decision about it: an edit replaces all of it."""
    required = [dataclasses.asdict(one) for one in sorted(asked.required, key=lambda one: (one.stage, one))]
    return {
        "sql": asked.sql,
        "params": asked.params,
        "normal": asked.normal,
        "digest": asked.digest,
        "risk": asked.risk,
        "risk_parts": asked.risk_parts,
        "asked": asked.asked,
        "bound": asked.bound,
        "facts": asked.facts,
        "decision": asked.decision,
        "required": required,
        "terms": {**dataclasses.asdict(asked.terms), "windows": list(asked.terms.windows)},
        "stage": min((demand.stage for demand in demands_of(required)), default=1),
        "outside_transaction": asked.outside_transaction,
        "expires_at": timezone.now() + timedelta(seconds=asked.expires_in),
    }


def terms_of(request: Request) -> Terms:
    """As the request keeps them; an older row may lack some."""
    kept = request.terms
    return Terms(
        step_up=kept.get("step_up", 0),
        windows=tuple(kept.get("windows", ())),
        grantable=kept.get("grantable", 0),
        remind_after=kept.get("remind_after", 0),
        holds_locks=kept.get("holds_locks", False),
    )


def note_revision(request: Request, by: str) -> Revision:
    return Revision.objects.create(
        request=request,
        number=request.revision,
        sql=request.sql,
        params=request.params,
        normal=request.normal,
        digest=request.digest,
        by=by,
    )


def told(required: list[RequiredReview]) -> list[str]:
    """`2 of dba`; the stage where there are several."""
    several = len({one.stage for one in required}) > 1
    return [f"{one.quorum} of {one.group}" + (f" (stage {one.stage})" if several else "") for one in required]
