"""Is what was approved still what would run? Asked right before the run; whatever differs is named, and goes back to people.

The digest says whether anything differs (P4); `Request.bound` keeps its parts, so that it can be said what. A request that
drifted has ended. Where it may still be asked for, another one asks for the same in its place, as things are now.
"""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals import services as approvals
from approvals.grants.services import elevated
from approvals.models import Request, Verdict
from approvals.shapes import changes_between
from approvals.states import Action
from audit.events import clean_text
from gateway import attempts
from gateway.admission import asking_of
from gateway.binding import bound_of, digest_of, sizes_of
from gateway.models import Query
from gateway.parking import park
from gateway.recording import note_assessment
from governance.assessment import Assessment, assess
from governance.catalogue import store as catalogue_store
from governance.errors import Unreadable
from governance.policy.decision import RequiredReview
from governance.policy.decision import Verdict as Ruling
from governance.policy.windows import is_open
from identity.models import Credential
from identity.principals import Principal

logger = logging.getLogger(__name__)
# Growth that nobody approved, where no exact bound is known: more than twice as many rows, and more than this many more.
GROWTH, MORE = 2, 1000
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """`what`: schema, policy, size, role, reviews, statement or requester."""

    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`assessment` as of now: None where it can no longer be read, or may no longer be asked for at all."""

    assessment: Assessment | None
    drift: tuple[Drift, ...] = ()

    @property
    def still_askable(self) -> Assessment | None:
        denied = self.assessment is None or self.assessment.decision.verdict is Ruling.DENY
        return None if denied else self.assessment


def look_again(principal: Principal, query: Query, request: Request, *, note_unchanged: bool = True) -> Finding:
    """The catalogue is read anew; `note_unchanged`: the ledger is told even if it is as it was. Raises `GatewayError` where the
    data source or the ledger is away."""
    if gone := no_longer_allowed(query):
        return Finding(None, (Drift("requester", gone),))
    try:
        catalogue_store.synchronise(query.datasource, actor="gateway", note_unchanged=note_unchanged)
        assessment = assess(query.datasource, query.sql, asking_of(elevated(principal, query.datasource), query))
    except Unreadable as error:
        # The parser's message quotes the text, and the reason is in the open part of the ledger's entry.
        logger.warning("Request %s can no longer be read: %s", request.pk, error.title)
        return Finding(None, (Drift("statement", "It can no longer be read."),))
    return Finding(assessment, tuple(_differences(query, request, assessment)))


def no_longer_allowed(query: Query) -> str:
    """Revoked means now (P8): also for what was approved and waits to run. An expiry is no revocation."""
    if query.agent is not None and not (query.agent.is_active and query.agent.owner.is_active):
        return "The agent, or its owner, is no longer active."
    if query.user is not None and not query.user.is_active:
        return "Whoever asked is no longer active."
    if query.credential and not Credential.objects.filter(pk=query.credential, revoked_at__isnull=True).exists():
        return "The credential that asked has been revoked."
    return ""


# --- What differs -------------------------------------------------------------------------------------------------


def _differences(query: Query, request: Request, assessment: Assessment) -> Iterator[Drift]:
    if digest_of(query, assessment) != request.digest:
        yield from _named(query, request, bound_of(query, assessment))
    if assessment.decision.verdict is Ruling.DENY:
        yield Drift("policy", f"Policy now denies it: {assessment.decision.message}")
    else:
        yield from _of_policy(request, assessment)
    if lacking := approvals.lacking(request):
        yield Drift("reviews", f"Approvals no longer hold: {_people(lacking)} must approve again.")


def _named(query: Query, request: Request, now: Mapping[str, Any]) -> Iterator[Drift]:
    """The digest differs, so something does."""
    before = request.bound
    found = [Drift("schema", said) for said in changes_between(before, now)] if before else []
    if before and before.get("address") != now["address"]:
        found.append(Drift("role", "The data source is at another address than it was."))
    for name, what in (("role", "role"), ("search_path", "search path")):
        if before and before[name] != now[name]:
            found.append(Drift("role", f"The {what} was {_shown(before[name])} and is now {_shown(now[name])}."))
    if (query.sql, query.params) != (request.sql, request.params):
        found.append(Drift("statement", "The text or its parameters are not what was approved."))
    yield from found or [Drift("schema", "The schema, the role or the search path is no longer what was approved.")]


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _of_policy(request: Request, assessment: Assessment) -> Iterator[Drift]:
    """What was given must cover what is demanded now: another wording is no drift, a stricter demand is."""
    decision = assessment.decision
    fresh = sorted(set(decision.policies) - set(request.decision.get("policies", ())))
    because = f" ({', '.join(fresh)})" if fresh else ""
    if lacking := _lacking_now(request, decision.required):
        yield Drift("policy", f"Policy now also asks for {_people(lacking)}{because}.")
    if late := _without_second_factor(request, decision.terms.step_up):
        yield Drift(
            "policy", f"Policy now asks for a second factor when approving; {', '.join(late)} showed none{because}."
        )

    more = set(decision.terms.windows) - set(request.terms.get("windows", ()))
    if not is_open(more, timezone.now()):
        yield Drift("policy", f"Policy now lets it run only in another window{because}: {' and '.join(sorted(more))}.")


def _lacking_now(request: Request, required: tuple[RequiredReview, ...]) -> Mapping[str, int]:
    """Who would be missing if what is demanded now had been demanded then; empty where nobody would."""
    asked = {(one["group"], one["quorum"], one.get("stage", 1)) for one in request.required}
    if {(one.group, one.quorum, one.stage) for one in required} <= asked:
        return {}
    escalated = {(one["group"], one.get("stage", 1)) for one in request.required if one.get("escalated")}
    as_now = copy.copy(request)
    as_now.required = [
        {**dataclasses.asdict(one), "escalated": (one.group, one.stage) in escalated} for one in required
    ]
    return approvals.lacking(as_now)


def _without_second_factor(request: Request, step_up: int) -> list[str]:
    if not step_up:
        return []
    given = request.reviews.filter(verdict=Verdict.APPROVE, revision=request.revision).select_related("reviewer")
    fresh = timedelta(seconds=step_up)
    return sorted(
        review.reviewer.username
        for review in given
        if review.second_factor_at is None or review.created_at - review.second_factor_at > fresh
    )


def _people(lacking: Mapping[str, int]) -> str:
    return " and ".join(f"{count} of {group}" for group, count in sorted(lacking.items()))


def growth(query: Query, request: Request, assessment: Assessment) -> tuple[Drift, ...]:
    """Where no exact bound is known: whether what it writes has outgrown what it was when people decided."""
    if "rows" not in request.bound:
        return ()  # asked for before sizes were kept
    before = request.bound["rows"]
    if before is None:
        return (
            Drift("size", "How many rows there were when it was asked for is not known, so nothing bounds the change."),
        )
    now = sizes_of(query, assessment)
    grown = [name for name, rows in before.items() if now.get(name, 0) > max(GROWTH * rows, rows + MORE)]
    return tuple(
        Drift("size", f"{name} had about {before[name]:,} rows and has about {now[name]:,} now.") for name in grown
    )


# --- Back to people -----------------------------------------------------------------------------------------------


@transaction.atomic
def send_back(
    principal: Principal, query: Query, request: Request, finding: Finding, *, attempt: int | None = None
) -> Request | None:
    """Ends the request; its successor, if there is one, comes in the same transaction. `attempt`: it had begun to run."""
    # The row before the ledger's head, as everybody else takes them.
    Request.objects.select_for_update(no_key=True, of=["self"]).get(pk=request.pk)
    successor = _ask_again(principal, query, request, finding.still_askable)
    details = [one.detail for one in finding.drift][:MOST_NAMED]
    outcome: dict[str, Any] = {"problem": {"code": "drifted", "detail": " ".join(details)}}
    if successor is not None:
        outcome["successor"] = str(successor.pk)
    if attempt is not None:
        fields = {"attempt": attempt, "status": "not_executed", "error": "drifted"}
        attempts.entry("execution.finished", request, **fields)
    approvals.move(
        request,
        Action.DRIFT,
        reason=clean_text(" ".join(details), 300),
        guard={"attempt": request.attempt},
        entry={"drift": [clean_text(f"{one.what}: {one.detail}", 300) for one in finding.drift][:MOST_NAMED]},
        drift=[dataclasses.asdict(one) for one in finding.drift],
        outcome=outcome,
        xid="",
        finished_at=timezone.now(),
    )
    return successor


def _ask_again(principal: Principal, query: Query, request: Request, assessment: Assessment | None) -> Request | None:
    """A change that takes back an earlier one would fail for the same rows again: there people choose what to do."""
    if assessment is None or request.row_floor is not None:
        return None
    again = Query(**{name: getattr(query, name) for name in SAME})
    note_assessment(again, assessment)
    again.save(force_insert=True)
    more: dict[str, Any] = {
        "follows": request, "carrier": request.carrier, "reverts": request.reverts, "owner": request.owner,
    }  # fmt: skip
    if not assessment.decision.required:
        # Policy would let it run now; it has changed since people agreed, so people look.
        more["required"] = [_review(one) for one in request.required]
    if request.run_at and request.run_at > timezone.now():
        more["run_at"] = request.run_at
    return park(principal, again, assessment, **more).request


SAME = (
    "requester", "user_id", "agent_id", "credential", "datasource", "door", "sql", "params", "purpose", "on_behalf_of", "run",
    "step", "model", "traceparent", "max_rows",
)  # fmt: skip


def _review(one: Mapping[str, Any]) -> RequiredReview:
    return RequiredReview(one["group"], one["quorum"], one.get("stage", 1))
