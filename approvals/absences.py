"""Who is away, and who speaks for them meanwhile. An absence passes on one thing: reviewing for the groups that the absent
person is in. Each change is a row and its ledger entry in one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.models import Absence
from approvals.signals import absence_moved
from audit import ledger
from audit.events import clean_text
from identity.models import User
from identity.principals import Principal

AUDITORS = "auditors"
LONGEST = timedelta(days=366)
LONGEST_REASON = 200


class AbsenceRefused(Exception):
    """The absence cannot be set or ended so. `field` names what to correct, where it is one thing."""

    def __init__(self, message: str, code: str = "invalid", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field


class UnknownAbsence(Exception):
    """No such absence, or not one that this principal may change: the two are told alike."""


# --- Finding ------------------------------------------------------------------------------------------------------


def _running(at: datetime) -> Q:
    return Q(ended_at__isnull=True, starts_at__lte=at, ends_at__gt=at)


def absences() -> QuerySet[Absence]:
    return Absence.objects.select_related("person", "delegate")


def absences_for(principal: Principal) -> QuerySet[Absence]:
    """Own ones, those in which one stands in, and those of people in one's own groups; to auditors and administrators all."""
    if not principal.is_person:
        return absences().none()
    if principal.is_administrator or AUDITORS in principal.groups:
        return absences()
    mine = Q(person_id=principal.id) | Q(delegate_id=principal.id)
    colleagues = User.objects.filter(groups__name__in=principal.groups).values("pk")
    return absences().filter(mine | Q(person__in=colleagues))


def standing_in_for(user_id: int, at: datetime | None = None) -> list[User]:
    """The absent people for whom this person speaks now. It does not pass on: whoever stands in and is away too passes on
    only their own."""
    away = Absence.objects.filter(_running(at or timezone.now()), delegate_id=user_id)
    people = User.objects.filter(pk__in=away.values("person"), is_active=True).order_by("username")
    return list(people.prefetch_related("groups"))


def spokespeople_of(user_id: int, at: datetime | None = None) -> list[User]:
    """Who speaks for this person now; empty while they are here."""
    away = Absence.objects.filter(_running(at or timezone.now()), person_id=user_id)
    return list(User.objects.filter(pk__in=away.values("delegate"), is_active=True).order_by("username"))


# --- Changing -----------------------------------------------------------------------------------------------------


@transaction.atomic
def set_absence(
    actor: Principal, person: User, delegate: User, *, starts_at: datetime, ends_at: datetime, reason: str = ""
) -> Absence:
    """By the person, or by an administrator for them. Raises `AbsenceRefused`."""
    # One at a time for each person: two that overlap would give them two voices.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    _check_who(actor, person, delegate)
    _check_when(person, starts_at, ends_at)
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise AbsenceRefused(f"The reason has more than {LONGEST_REASON} characters.", field="reason")
    absence = Absence.objects.create(
        person=person, delegate=delegate, starts_at=starts_at, ends_at=ends_at, reason=reason, created_by=actor.label
    )
    absence_moved.send(Absence, absence=absence, event="absence-set")
    _record("absence.set", absence, actor)
    return absence


def _check_who(actor: Principal, person: User, delegate: User) -> None:
    if not actor.is_person:
        raise AbsenceRefused("Agents are never away, and speak for nobody.", code="not-permitted")
    if person.pk != actor.id and not actor.is_administrator:
        raise AbsenceRefused("Only administrators set the absence of somebody else.", code="not-permitted")
    if person.pk == delegate.pk:
        raise AbsenceRefused("Nobody stands in for themselves: name somebody else.", field="delegate")
    if delegate.pk == actor.id:
        raise AbsenceRefused(
            "Nobody makes themselves the voice of somebody else: another administrator must, or the person.",
            code="not-permitted",
            field="delegate",
        )
    for who, field in ((person, "person"), (delegate, "delegate")):
        if not who.is_active:
            raise AbsenceRefused(f"The account of {who} is closed.", field=field)


def _check_when(person: User, starts_at: datetime, ends_at: datetime) -> None:
    now = timezone.now()
    if ends_at <= starts_at:
        raise AbsenceRefused("It must end after it starts.", field="ends_at")
    if ends_at <= now:
        raise AbsenceRefused("It would be over already: nothing that has happened is changed by it.", field="ends_at")
    if starts_at < now - timedelta(days=1):
        raise AbsenceRefused("It would start more than a day ago: let it start now.", field="starts_at")
    if ends_at - starts_at > LONGEST:
        raise AbsenceRefused(
            "It would last more than a year. Take the person out of the group instead.", field="ends_at"
        )
    overlapping = Absence.objects.filter(
        person=person, ended_at__isnull=True, starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    if other := overlapping.select_related("delegate").first():
        raise AbsenceRefused(
            f"{person} is away already from {other.starts_at:%Y-%m-%d %H:%M} to {other.ends_at:%Y-%m-%d %H:%M} UTC, with "
            f"{other.delegate} standing in. End that absence first.",
            field="starts_at",
        )


@transaction.atomic
def end_absence(actor: Principal, absence_id: uuid.UUID) -> Absence:
    """By the person, whoever stands in, or an administrator. Raises `AbsenceRefused`, `UnknownAbsence`."""
    absence = absences().select_for_update(no_key=True, of=["self"]).filter(pk=absence_id).first()
    if absence is None or not may_end(absence, actor):
        raise UnknownAbsence
    if absence.ended_at is not None or absence.ends_at <= timezone.now():
        raise AbsenceRefused("It is over already.", code="already-ended")
    absence.ended_at = timezone.now()
    absence.save(update_fields=["ended_at"])
    absence_moved.send(Absence, absence=absence, event="absence-ended")
    _record("absence.ended", absence, actor)
    return absence


def may_know_why(absence: Absence, viewer: Principal) -> bool:
    """Why somebody is away is for those whom it concerns."""
    concerned = viewer.id in (absence.person_id, absence.delegate_id)
    return viewer.is_person and (concerned or viewer.is_administrator or AUDITORS in viewer.groups)


def may_end(absence: Absence, actor: Principal) -> bool:
    return actor.is_person and (actor.id in (absence.person_id, absence.delegate_id) or actor.is_administrator)


def _record(kind: str, absence: Absence, actor: Principal) -> None:
    ledger.append_within(
        kind,
        # What people write can quote data: it is sealed.
        payload={"reason": absence.reason} if absence.reason and kind == "absence.set" else None,
        actor=actor.label,
        absence=str(absence.pk),
        person=f"user:{clean_text(absence.person.username)}",
        delegate=f"user:{clean_text(absence.delegate.username)}",
        starts_at=absence.starts_at.isoformat(),
        ends_at=(absence.ended_at or absence.ends_at).isoformat(),
    )
