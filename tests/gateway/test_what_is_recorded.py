"""Each service that changes something leaves its entries: the table says which."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from approvals import services as approvals
from approvals.grants.services import break_glass, request_elevation
from approvals.grants.services import revoke as revoke_grant
from approvals.models import Request
from audit.events import KINDS
from audit.models import Entry
from gateway import pipeline, queries
from gateway.execution import execute_request
from gateway.models import Query, QueryState
from gateway.release import replay
from governance import classification
from governance.catalogue import store as catalogue_store
from governance.errors import GatewayError
from governance.policy import store as policy_store
from governance.scanning import scan
from identity.agents import deactivate
from identity.credentials import issue, revoke
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast, make_agent

MASS_DELETE = "DELETE FROM orders"


def parked(cast: Cast) -> Request:
    request = pipeline.submit(cast.submission(MASS_DELETE)).query.request
    assert request is not None
    return request


def approve(cast: Cast, request: Request) -> None:
    approvals.review(request.pk, cast.principal(cast.rita), "approve", "")


def denied(cast: Cast) -> None:
    with contextlib.suppress(GatewayError):
        pipeline.submit(cast.submission("DROP TABLE orders"))


def failed(cast: Cast) -> None:
    with contextlib.suppress(GatewayError):
        pipeline.submit(cast.submission("SELECT 1/0"))


def expired(cast: Cast) -> None:
    parked(cast)
    Request.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    approvals.expire_due()


def executed(cast: Cast) -> None:
    request = parked(cast)
    approve(cast, request)
    execute_request(request.pk)


def cancelled(cast: Cast) -> None:
    pipeline.submit(cast.submission("SELECT 1"))
    Query.objects.update(state=QueryState.RUNNING)
    queries.cancel(cast.principal(cast.bot), Query.objects.get())


def read_again(cast: Cast) -> None:
    replay(cast.principal(cast.bot), pipeline.submit(cast.submission("SELECT 1")).query, "rest")


def scanned(cast: Cast) -> None:
    scan.run(scan.begin(cast.datasource, actor=ACTOR))


REASON = "the nightly clean-up failed"


def elevated(cast: Cast) -> None:
    asked = request_elevation(cast.principal(cast.bot), "shop", "dba", minutes=5, reason=REASON, door="rest").request
    assert asked is not None
    approve(cast, asked)


def given_again(cast: Cast) -> None:
    grant = {"runs": 2, "seconds": 600}
    approvals.review(parked(cast).pk, cast.principal(cast.rita), "approve", "", grant=grant, row_bound=60)
    pipeline.submit(cast.submission(MASS_DELETE))


def glass_broken(cast: Cast) -> None:
    grant = break_glass(cast.principal(cast.rita), "shop", reason=REASON, door="web")
    pipeline.submit(cast.submission("DELETE FROM orders", cast.rita))
    revoke_grant(grant.pk, cast.principal(cast.rita))


PARKED = ["request.created", "statement.parked"]
RUN = ["statement.intent", "statement.outcome"]
TABLE: dict[str, tuple[Callable[[Cast], object], list[str]]] = {
    "a read": (lambda cast: pipeline.submit(cast.submission("SELECT 1")), RUN),
    "a read that fails": (failed, RUN),
    "a denial": (denied, ["statement.denied"]),
    "a check": (lambda cast: pipeline.check(cast.submission("SELECT 1")), ["statement.checked"]),
    "parking": (parked, PARKED),
    "a kept result": (read_again, [*RUN, "result.read"]),
    "cancelling": (cancelled, [*RUN, "statement.cancelled"]),
    "an approval": (lambda cast: approve(cast, parked(cast)), [*PARKED, "review.given", "request.approved"]),
    "a rejection": (
        lambda cast: approvals.review(parked(cast).pk, cast.principal(cast.rita), "reject", "No."),
        [*PARKED, "review.given", "request.rejected"],
    ),
    "a withdrawal": (
        lambda cast: approvals.withdraw(parked(cast).pk, cast.principal(cast.bot)),
        [*PARKED, "request.withdrawn"],
    ),
    "an expiry": (expired, [*PARKED, "request.expired"]),
    "the run of what was approved": (
        executed,
        [
            *PARKED,
            "review.given",
            "request.approved",
            "datasource.synchronised",
            "impact.started",
            "impact.measured",
            "execution.started",
            "statement.intent",
            "undo.kept",
            "execution.finished",
        ],
    ),
    "an elevation": (
        elevated,
        ["request.created", "review.given", "request.approved", "grant.given", "request.settled"],
    ),
    "a statement under a grant": (
        given_again,
        [*PARKED, "review.given", "grant.given", "request.approved", "grant.used", *RUN],
    ),
    "broken glass, and its end": (
        glass_broken,
        ["glass.broken", "grant.used", *RUN, "request.created", "glass.mended", "grant.revoked"],
    ),
    "another policy set": (
        lambda cast: policy_store.activate(policy_store.default_text() + "\n// another\n", author=ACTOR),
        ["policy.activated"],
    ),
    "a class": (
        lambda cast: classification.classify(cast.datasource, "public.customers.city", "postal_address", actor=ACTOR),
        ["classification.changed"],
    ),
    "no class any more": (
        lambda cast: classification.remove(
            cast.datasource, classification.parse_target("public.customers.email"), actor=ACTOR
        ),
        ["classification.changed"],
    ),
    "a scan": (scanned, ["classification.scanned", "classification.scanned"]),
    "the catalogue": (
        lambda cast: catalogue_store.synchronise(cast.datasource, actor=ACTOR),
        ["datasource.synchronised"],
    ),
    "a person": (lambda cast: add_user("kim", PASSWORD, ["dba"], actor=ACTOR), ["user.added"]),
    "an agent": (lambda cast: make_agent("ops-bot", cast.alice), ["agent.added"]),
    "the end of an agent": (lambda cast: deactivate(cast.bot, actor=ACTOR), ["agent.changed"]),
    "a credential": (lambda cast: issue(cast.bot, issued_by=ACTOR), ["credential.issued"]),
    "the end of a credential": (
        lambda cast: revoke(issue(cast.bot, issued_by=ACTOR).credential, actor=ACTOR),
        ["credential.issued", "credential.revoked"],
    ),
}


@pytest.mark.parametrize(("act", "kinds"), TABLE.values(), ids=TABLE.keys())
def test_what_changes_something_leaves_its_entries(cast: Cast, act: Callable[[Cast], object], kinds: list[str]) -> None:
    before = Entry.objects.count()
    act(cast)
    assert list(Entry.objects.order_by("index").values_list("kind", flat=True))[before:] == kinds


def test_every_kind_is_recorded_somewhere() -> None:
    """A kind that nothing writes would promise what does not happen."""
    written: set[str] = set()
    root = Path(__file__).parents[2]
    for package in ("audit", "governance", "approvals", "gateway", "identity"):
        for path in (root / package).rglob("*.py"):
            if path.name != "events.py" and not path.name.startswith("ocsf"):
                constants = (
                    node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
                )
                written |= {value for value in constants if isinstance(value, str)}
    # audit/people.py puts these together from what was saved.
    written |= {f"{who}.{what}" for who in ("user", "agent") for what in ("added", "changed", "removed")}
    assert sorted(KINDS.keys() - written) == []
