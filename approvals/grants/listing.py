"""Lists of grants, as pages and REST show them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from approvals.grants.finding import held_by, standing, visible_to
from approvals.models import Grant
from identity.principals import Principal

WHICH = ("all", "mine", "standing", "ended")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is empty does not filter. `which`: mine are those that one holds, or that one's agents hold."""

    which: str = "all"
    kind: str = ""
    datasource: str = ""
    principal: str = ""


def listed(viewer: Principal, wanted: Wanted) -> QuerySet[Grant]:
    """Newest first."""
    found = visible_to(viewer)
    if wanted.which == "mine":
        found = found.filter(_own(viewer))
    if wanted.which in ("standing", "ended"):
        now = standing().values("pk")
        found = found.filter(pk__in=now) if wanted.which == "standing" else found.exclude(pk__in=now)
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.datasource:
        found = found.filter(datasource__name=wanted.datasource)
    if wanted.principal:
        found = found.filter(Q(principal=wanted.principal) | Q(principal__endswith=f":{wanted.principal}"))
    return found.order_by("-created_at", "id")


def _own(viewer: Principal) -> Q:
    own = held_by(viewer)
    return own | Q(owner_id=viewer.id) | Q(agent__owner_id=viewer.id) if viewer.is_person else own


def broken_now(viewer: Principal | None = None) -> QuerySet[Grant]:
    """Glass that is broken at this moment: by this person, or by anybody."""
    found = standing().filter(kind=Grant.Kind.BREAK_GLASS).select_related("datasource", "user", "owner")
    return found if viewer is None else found.filter(held_by(viewer))
