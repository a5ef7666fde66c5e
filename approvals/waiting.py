"""What waits for a person: `approvals.eligibility.may_review` as a condition in SQL, so that lists and counts need not ask it
request by request. tests/approvals/test_finding.py holds the two together, case by case.

One thing SQL only bounds: whether the turn of a later stage has come depends on who sits where. Of requests where the viewer
could fill no seat of the first stage, those with enough approvals for the stages before theirs are asked one by one.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.utils import timezone

from approvals.eligibility import Voice, voices_of, why_barred
from approvals.models import Request, Review, Verdict
from approvals.parties import party_to
from approvals.progress import standings_of, with_reviews
from approvals.states import State
from governance.models import DataSource
from identity.principals import Principal, principal_of_user

NOTHING = Q(pk__in=[])


class SeatsBefore(Func):
    """How many seats come before the first stage that has one for the groups: 0 where that is the first of all, whose turn
    never passes; NULL where none has. What older rows lack was not demanded."""

    output_field = IntegerField()
    template = """(
        SELECT CASE WHEN mine.stage IS NOT NULL THEN (
            SELECT coalesce(sum((seat ->> 'quorum')::integer), 0)
            FROM jsonb_array_elements(asked.required) seat WHERE coalesce((seat ->> 'stage')::integer, 1) < mine.stage
        ) END
        FROM (VALUES (%(expressions)s)) asked (required, groups), LATERAL (
            SELECT min(coalesce((seat ->> 'stage')::integer, 1)) AS stage FROM jsonb_array_elements(asked.required) seat
            WHERE seat ->> 'group' = ANY(asked.groups)
                OR (seat ->> 'escalated' = 'true' AND seat ->> 'escalate_to' = ANY(asked.groups))
        ) mine
    )"""

    def __init__(self, groups: frozenset[str]) -> None:
        super().__init__(F("required"), Cast(Value(sorted(groups)), ArrayField(TextField())))


def waits_for(principal: Principal, door: str = "web") -> Q:
    """The requests that this person may review now."""
    if not principal.is_person:
        return NOTHING
    given = Review.objects.filter(request=OuterRef("pk"), revision=OuterRef("revision"))
    pending = Q(state=State.PENDING, expires_at__gt=timezone.now())
    pending &= ~party_to(principal.id) & ~Q(Exists(given.filter(reviewer_id=principal.id)))
    pending &= _not_barred(principal, door)
    heard = NOTHING
    for voice in voices_of(principal):
        if voice.groups:
            heard |= _as(voice, given, pending, door)
    return pending & heard


def _as(voice: Voice, given: QuerySet[Review], pending: Q, door: str) -> Q:
    """Those that may be reviewed by the authority of this voice."""
    spoken = given.filter(Q(delegated_by_id=voice.authority) | Q(delegated_by=None, reviewer_id=voice.authority))
    free = ~Q(Exists(spoken))
    if voice.absent is not None:
        # Standing in gives no more than the absent person has.
        free &= ~party_to(voice.authority) & _not_barred(principal_of_user(voice.absent), door)
    first = Q(Exact(SeatsBefore(voice.groups), 0))
    later = _whose_turn_came(Request.objects.filter(pending, free), voice)
    return free & (first | Q(pk__in=later) if later else first)


def _whose_turn_came(requests: QuerySet[Request], voice: Voice) -> list[uuid.UUID]:
    """Those in which a later stage, one that has a seat for the voice, is open by now."""
    approvals = Count("reviews", filter=Q(reviews__revision=F("revision"), reviews__verdict=Verdict.APPROVE))
    asked = requests.annotate(approved=approvals, before=SeatsBefore(voice.groups))
    ids = list(asked.filter(before__gt=0, approved__gte=F("before")).values_list("pk", flat=True))
    if not ids:
        return []
    found = list(with_reviews(Request.objects.filter(pk__in=ids)).defer("sql", "params"))
    standings = standings_of(found)
    return [
        one.pk
        for one in found
        if any(not demand.open_to.isdisjoint(voice.groups) for demand in standings[one.pk].open_demands)
    ]


def _not_barred(person: Principal, door: str) -> Q:
    """Without the data sources on which policy keeps this person from reviewing."""
    waiting = Request.objects.filter(state=State.PENDING).values("datasource")
    barred = [one.pk for one in DataSource.objects.filter(pk__in=waiting) if why_barred(one, person, door)]
    return ~Q(datasource__in=barred) if barred else Q()
