"""The row that keeps what a request would do, from `waiting` to its end. Who measures is the gateway's affair.

One worker measures a request at a time: it holds the request's advisory lock (gateway/impact.py), and `begin` and `finish` are
guarded by the revision, so that what was measured of a text that has since been edited is thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.impact.access import tells_of_masked_values
from approvals.impact.content import Content, from_json, to_json
from approvals.impact.sentences import bound_of
from approvals.models import Impact, Request
from approvals.moving import publish_measuring
from approvals.signals import request_noted
from approvals.states import State
from audit import ledger
from audit.events import clean_text

STATES = (Impact.State.WAITING, Impact.State.MEASURING)
# A request ends up here only while somebody can still decide, or is about to run it.
MEASURABLE = (State.PENDING, State.APPROVED)


@dataclass(frozen=True, slots=True)
class Measurement:
    """How measuring ended. `rows`: as many as a run would count among those that it changes. `problem`: why it was not
    measured, in words for people; then nothing else counts but the estimate."""

    content: Content = field(default_factory=Content)
    rows: int | None = None
    estimated_rows: int | None = None
    table_rows: int | None = None
    duration_ms: float | None = None
    problem: str = ""


def carried_bound(request: Request, most: int | None) -> int | None:
    """How many rows of all relations a run may change, where `most` is what it may change itself: as many for each as when it
    was measured. None where it was not."""
    impact = Impact.objects.filter(request=request, revision=request.revision, state=Impact.State.MEASURED).first()
    if impact is None or impact.rows is None or most is None or not impact.content:
        return None
    total = sum(change.rows for change in from_json(impact.content).changes)
    return max(bound_of(total), -(-total * most // impact.rows)) if impact.rows else bound_of(total)


# --- Waiting ------------------------------------------------------------------------------------------------------


def expect(request: Request) -> None:
    """Within the caller's transaction: the text of the request, new or edited, waits to be measured."""
    fresh: dict[str, Any] = {
        "revision": request.revision, "state": Impact.State.WAITING, "started_at": None, "measured_at": None, "rows": None,
        "estimated_rows": None, "table_rows": None, "duration_ms": None, "content": None, "problem": "",
    }  # fmt: skip
    Impact.objects.update_or_create(request=request, defaults=fresh)
    transaction.on_commit(lambda: publish_measuring(request.pk))


def overdue(age: timedelta) -> QuerySet[Impact]:
    """Those that nobody has measured for so long, though somebody may still decide about them."""
    before = timezone.now() - age
    late = Q(state=Impact.State.WAITING, request__created_at__lt=before)
    late |= Q(state=Impact.State.MEASURING, started_at__lt=before)
    return Impact.objects.filter(late, request__state=State.PENDING, request__expires_at__gt=timezone.now())


# --- Measuring ----------------------------------------------------------------------------------------------------


@transaction.atomic
def begin(request: Request) -> Impact | None:
    """Takes it up, and says so in the ledger, durably, before anything runs. None: there is nothing to measure. Who holds the
    request's lock also takes over what a worker that died was measuring. Raises `LedgerUnavailable`."""
    mine = Impact.objects.filter(
        request=request, revision=request.revision, state__in=STATES, request__state__in=MEASURABLE
    )
    if mine.update(state=Impact.State.MEASURING, started_at=timezone.now()) != 1:
        return None
    ledger.append_within("impact.started", **_about(request))
    return Impact.objects.get(request=request)


def try_again(request: Request) -> None:
    """What could not be measured for a reason that passes waits again."""
    impact = Impact.objects.filter(
        request=request, revision=request.revision, state=Impact.State.UNMEASURED, request__state__in=MEASURABLE
    ).first()
    if impact is not None and from_json(impact.content or {}).passing:
        again = Impact.objects.filter(pk=impact.pk, revision=impact.revision, measured_at=impact.measured_at)
        again.update(state=Impact.State.WAITING, started_at=None)


def give_back(impact: Impact) -> None:
    """Nothing was found out, and nothing said against trying again: it waits for the next worker."""
    _mine(impact).update(state=Impact.State.WAITING, started_at=None)


@transaction.atomic
def finish(request: Request, impact: Impact, found: Measurement) -> bool:
    """Keeps it, with the bound that follows from it; false where the request was edited meanwhile, or another worker has
    taken it over."""
    state = Impact.State.UNMEASURED if found.problem else Impact.State.MEASURED
    # Whoever edits the request locks it first, too.
    Request.objects.select_for_update(no_key=True, of=["self"]).get(pk=request.pk)
    kept = _mine(impact).update(
        state=state,
        measured_at=timezone.now(),
        rows=found.rows,
        estimated_rows=found.estimated_rows,
        table_rows=found.table_rows,
        duration_ms=found.duration_ms,
        content=to_json(found.content),
        problem=found.problem,
    )
    if not kept:
        return False
    if found.rows is not None and not found.problem:
        # A reviewer who has already said how many it may be is not overruled.
        same = Request.objects.filter(pk=request.pk, revision=impact.revision, row_bound__isnull=True)
        same.update(row_bound=bound_of(found.rows))
    request.refresh_from_db(fields=["row_bound"])
    _record_measured(request, state, found)
    request_noted.send(Request, request=request, event="measured")
    return True


def _mine(impact: Impact) -> QuerySet[Impact]:
    return Impact.objects.filter(
        request_id=impact.request_id,
        revision=impact.revision,
        request__revision=impact.revision,
        state=Impact.State.MEASURING,
        started_at=impact.started_at,
    )


def _record_measured(request: Request, state: Impact.State, found: Measurement) -> None:
    """Whoever asked reads the entry's header: what tells of masked values goes into the part that only auditors open."""
    failure = found.content.failure
    numbers: dict[str, Any] = {
        "rows": found.rows,
        "estimated_rows": found.estimated_rows,
        "table_rows": found.table_rows,
        "duration_ms": None if found.duration_ms is None else round(found.duration_ms),
        "sqlstate": failure.sqlstate if failure else None,
        "reason": clean_text(found.problem) or None,
    }
    if tells_of_masked_values(request.facts, request.decision):
        payload = {"status": state.value, **numbers}
        ledger.append_within("impact.measured", payload=payload, status="sealed", **_about(request))
    else:
        ledger.append_within("impact.measured", status=state.value, **numbers, **_about(request))


def _about(request: Request) -> dict[str, Any]:
    return {
        "request": str(request.pk),
        "principal": request.requester,
        "owner": request.owner.username,
        "datasource": request.datasource.name,
        "environment": request.datasource.environment,
        "digest": request.digest,
        "revision": request.revision,
    }
