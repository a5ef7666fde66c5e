"""What somebody holds right now. Elevations count for the decision about a statement on their data source, and for nothing
else: reviewing, administering, exporting and policies ask for the groups that a person is really in."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Collection

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from approvals.grants.finding import held_by, standing
from approvals.models import Grant, Review, Verdict
from governance.models import DataSource
from identity.principals import Principal, PrincipalKind

Holder = tuple[PrincipalKind, int, int]

# Until when (monotonic) it is believed who is elevated at all: nearly nobody is, and every statement asks.
_kept: tuple[float, frozenset[Holder]] = (0.0, frozenset())


def held(principal: Principal, datasource: DataSource, kind: str) -> QuerySet[Grant]:
    """A grant rests on the people behind it: it holds as long as its owner answers for the principal, and as long as all
    who gave it are still active."""
    gone = Review.objects.filter(request=OuterRef("request"), verdict=Verdict.APPROVE, reviewer__is_active=False)
    found = standing().filter(held_by(principal), ~Exists(gone), kind=kind, datasource=datasource)
    return found.filter(owner_id=principal.owner_id).select_related("request", "datasource").order_by("expires_at")


def elevated(principal: Principal, datasource: DataSource) -> Principal:
    """The principal with the groups that it is elevated to on this data source. Only for deciding about a statement."""
    if (principal.kind, principal.id, datasource.pk) not in _elevated_ones():
        return principal
    grants = list(held(principal, datasource, Grant.Kind.ELEVATION))
    groups = principal.groups | {grant.group for grant in grants}
    return dataclasses.replace(principal, groups=groups, grants=tuple(grant.pk for grant in grants))


def _elevated_ones() -> frozenset[Holder]:
    """A grant may be seen as late as the leases of policies are; whether it still stands is asked each time."""
    global _kept
    now = time.monotonic()
    if now >= _kept[0]:
        rows = standing().filter(kind=Grant.Kind.ELEVATION).values_list("user_id", "agent_id", "datasource_id")
        _kept = (now + settings.LEASE_SECONDS, frozenset(_holder(*row) for row in rows))
    return _kept[1]


def _holder(user: int | None, agent: int | None, datasource: int) -> Holder:
    return (PrincipalKind.USER, user, datasource) if user is not None else (PrincipalKind.AGENT, agent or 0, datasource)


def forget() -> None:
    """Nobody is believed any more not to be elevated."""
    global _kept
    _kept = (0.0, frozenset())


def revoked_among(grants: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of them were revoked. What runs may finish when a grant merely runs out."""
    if not grants:
        return set()
    return set(Grant.objects.filter(pk__in=grants, revoked_at__isnull=False).values_list("pk", flat=True))
