"""Hold: a session waits for the review of its statement, and runs the statement itself once it is approved.

For doors whose client stays connected. The request is left to the session (`Request.carrier`): no worker runs it. When the
session has waited as long as it may, or its client is gone, the request goes on without it; the approval can be redeemed
(`gateway/redemption.py`) by whoever asked until it expires.

A transaction that holds locks makes others wait for a person's decision, so its session is not held, unless every policy that
parks the statement says so: `@hold("locks")`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import connection

from approvals import services as approvals
from approvals.models import Request
from approvals.states import State
from audit import ledger
from audit.ledger import LedgerUnavailable
from gateway.admission import asker_of
from gateway.models import Query
from gateway.running import running, watching
from governance.errors import GatewayError, ServiceUnavailable

# How often it is asked whether the client is still there. What wakes the session is told, not asked for.
LOOK_SECONDS = 0.5


class AwaitsReview(GatewayError):
    code = "awaits-review"
    title = "It waits for a review"
    status = 409
    default_sqlstate = "YC001"


class NotApproved(GatewayError):
    code = "not-approved"
    title = "It was not approved"
    status = 409
    default_sqlstate = "YC002"


class CannotBeHeld(GatewayError):
    code = "cannot-be-held"
    title = "A transaction that holds locks does not wait for people"
    status = 409
    default_sqlstate = "YC003"


class How(StrEnum):
    """`approved`: redeem it now. `over`: the session has waited as long as it may. `refused`: it holds locks. `gone`: its
    client is. `ended`: the request has ended otherwise."""

    APPROVED = "approved"
    OVER = "over"
    REFUSED = "refused"
    GONE = "gone"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class HeldOutcome:
    how: How
    query: Query
    request: Request

    def error(self) -> GatewayError | None:
        """What the client is told, with the request's id; None where it is approved, or nobody is there to be told."""
        request, url = self.request, f"{settings.PUBLIC_URL}/requests/{self.request.pk}/"
        until = f"{request.expires_at:%Y-%m-%d %H:%M} UTC"
        error: GatewayError | None = None
        if self.how is How.OVER:
            error = AwaitsReview(
                f"It waits for a review, as request {request.pk}: {url}",
                remedy=f"Send the same statement again once it is approved: it then runs at once, until {until}.",
            )
        elif self.how is How.REFUSED:
            error = CannotBeHeld(
                f"It waits for a review, as request {request.pk}, and the session's transaction holds locks: {url}",
                remedy=f"End the transaction, and send the statement again: it waits then, or runs if approved by {until}.",
            )
        elif self.how is How.ENDED:
            told = self.query.problem or {}
            error = NotApproved(
                f"Request {request.pk} is {request.state}. {told.get('detail', '')}".strip(),
                remedy=told.get("remedy", ""),
            )
        if error is not None:
            error.query = self.query
        return error


def hold(
    query: Query, *, seconds: float, in_transaction: bool, holds_locks: bool, still_there: Callable[[], bool]
) -> HeldOutcome:
    """`query` is parked. Returns when there is something to do, at the latest after `seconds`, or what the installation allows.

    Raises `NotAuthenticated` and `Cancelled` as soon as whoever waits is revoked, or the query cancelled (P8);
    `ServiceUnavailable` where neither could reach it, or the ledger cannot say that it waits.
    """
    request = Request.objects.select_related("owner").get(query=query)
    Request.objects.filter(pk=request.pk, state=State.PENDING).update(carrier=Request.Carrier.CALLER)
    refused = holds_locks and not approvals.terms_of(request).holds_locks
    patience = min(seconds, settings.HOLD_SECONDS)
    _record(query, request, round(patience), in_transaction=in_transaction, refused=refused)
    if refused:
        return HeldOutcome(How.REFUSED, query, request)
    return _outcome(query, request, _wait(query, request, patience, still_there))


def _wait(query: Query, request: Request, seconds: float, still_there: Callable[[], bool]) -> How | None:
    """How it ended for the session; None where the request moved."""
    over = time.monotonic() + seconds
    moved = threading.Event()
    with running(query.pk, asker_of(query)) as session, watching(request.pk, moved):
        session.started(moved.set)
        while True:
            moved.clear()
            # Asked only now that somebody listens, and after every call: nothing is missed in between.
            if _has_moved(request):
                return None
            connection.close()
            while not moved.wait(max(0.0, min(LOOK_SECONDS, over - time.monotonic()))):
                if not still_there():
                    return How.GONE
                if time.monotonic() >= over:
                    return How.OVER
            session.still_wanted()


def _has_moved(request: Request) -> bool:
    return not Request.objects.filter(pk=request.pk, state=State.PENDING).exists()


def _outcome(query: Query, request: Request, how: How | None) -> HeldOutcome:
    request.refresh_from_db()
    query.refresh_from_db()
    if how is None:
        how = How.APPROVED if request.state == State.APPROVED else How.ENDED
    return HeldOutcome(how, query, request)


def _record(query: Query, request: Request, seconds: int, *, in_transaction: bool, refused: bool) -> None:
    try:
        ledger.append(
            "statement.held",
            request=str(request.pk),
            principal=query.requester,
            owner=request.owner.username,
            datasource=query.datasource.name,
            environment=query.datasource.environment,
            door=query.door,
            query=str(query.pk),
            seconds=0 if refused else seconds,
            in_transaction=in_transaction,
            reason="holds-locks" if refused else None,
            state="refused" if refused else "waits",
        )
    except LedgerUnavailable as error:
        raise ServiceUnavailable(
            "The ledger cannot record that the session waits, so it does not.", remedy="Send it again shortly."
        ) from error
