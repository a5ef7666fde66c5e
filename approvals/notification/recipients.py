"""Who is told of what."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db.models import Q
from django.utils import timezone

from approvals.eligibility import standing_at
from approvals.models import Absence, Grant, Request, Verdict
from approvals.notification.events import Audience, Event
from approvals.parties import owners_of, patterns_of, why_party
from governance.policy import store
from identity.models import User

People = dict[int, User]


def recipients(
    event: Event, request: Request | None = None, grant: Grant | None = None, named: Iterable[User] = ()
) -> list[User]:
    """Active people, each once, in a fixed order: two transactions never wait for each other crosswise."""
    found: People = {person.pk: person for person in named if person.is_active}
    for audience in event.audience:
        if request is not None and audience in _OF_REQUEST:
            found |= _OF_REQUEST[audience](request)
        if grant is not None and audience in _OF_GRANT:
            found |= _OF_GRANT[audience](grant)
    return [found[key] for key in sorted(found)]


def reviewers_now(request: Request) -> People:
    """Whose voice is lacking at this moment: members of the groups whose turn it is, and for those who are away whoever stands
    in for them. In a few queries, however many they are; what only policy knows is asked before the message leaves
    (`mooting`), by the rule itself."""
    asked = Request.objects.select_related("agent", "grant", "datasource", "owner").get(pk=request.pk)
    members = _members(group for demand, _ in standing_at(asked).unfilled for group in demand.open_to)
    away = _standing_in(members)
    barred = _barred(asked, {*members, *(one.pk for delegates in away.values() for one in delegates)})
    told: People = {}
    for key, member in members.items():
        if key in barred:
            continue
        # Where nobody who stands in may review it, better the one who is away than nobody.
        told |= {one.pk: one for one in away.get(key, ()) if one.pk not in barred} or {key: member}
    return told


def _barred(request: Request, people: set[int]) -> set[int]:
    """Parties to it (P5), and those who have been heard, by themselves or by whoever stood in."""
    given = request.reviews.filter(revision=request.revision).values_list("reviewer_id", "delegated_by_id")
    heard = {one for pair in given for one in pair if one is not None}
    patterns = patterns_of(people) if request.on_behalf_of else {}
    return heard | {one for one in people if why_party(request, one, patterns)}


def _members(groups: Iterable[str]) -> People:
    return {one.pk: one for one in User.objects.filter(is_active=True, groups__name__in=set(groups)).distinct()}


def _standing_in(members: People) -> dict[int, list[User]]:
    """Whoever is away now, with those who stand in for them."""
    now = timezone.now()
    absences = Absence.objects.filter(
        person__in=members.keys(), starts_at__lte=now, ends_at__gt=now, ended_at=None, delegate__is_active=True
    )
    away: dict[int, list[User]] = {}
    for absence in absences.select_related("delegate"):
        away.setdefault(absence.person_id, []).append(absence.delegate)
    return away


def _asker(request: Request) -> People:
    return _by_id(owners_of(request))


def _took_part(request: Request) -> People:
    return _by_id(request.reviews.values_list("reviewer_id", flat=True))


def _holder(grant: Grant) -> People:
    answers_for = {grant.owner_id, grant.user_id, grant.agent.owner_id if grant.agent else None}
    return _by_id(one for one in answers_for if one is not None)


def _givers(grant: Grant) -> People:
    if grant.request is None:
        return {}
    approvals = grant.request.reviews.filter(verdict=Verdict.APPROVE, revision=grant.request.revision)
    return _by_id(approvals.values_list("reviewer_id", flat=True))


def _guardians(grant: Grant) -> People:
    groups = {one["group"] for one in grant.required} or reviewing_groups()
    wanted = Q(is_superuser=True) | Q(groups__name__in=groups)
    return {one.pk: one for one in User.objects.filter(wanted, is_active=True).distinct()}


def reviewing_groups() -> set[str]:
    """All groups that a policy in force asks for a review."""
    policies = store.active().policies
    return {parking.group for policy in policies.values() if (parking := policy.parking) is not None}


def _by_id(ids: Iterable[int]) -> People:
    return {one.pk: one for one in User.objects.filter(pk__in=list(ids), is_active=True)}


_OF_REQUEST: dict[Audience, Callable[[Request], People]] = {
    Audience.REVIEWERS: reviewers_now,
    Audience.ASKER: _asker,
    Audience.TOOK_PART: _took_part,
}
_OF_GRANT: dict[Audience, Callable[[Grant], People]] = {
    Audience.HOLDER: _holder,
    Audience.GIVERS: _givers,
    Audience.GUARDIANS: _guardians,
}
