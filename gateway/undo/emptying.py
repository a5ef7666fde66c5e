"""The end of what an undo needs: the kept rows, and those that a request to take a change back carries as parameters."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.models import Request, Revision, UndoLog
from approvals.states import OPEN
from approvals.undo import keeping
from gateway.models import Query

AT_ONCE = 200
# In `Request.asked`: its parameters are gone.
EMPTIED = "emptied"


def empty_due() -> int:
    """How many logs were emptied. What an undo carries goes once it has ended and would have been kept no longer."""
    emptied = keeping.empty_due()
    over = timezone.now() - timedelta(days=settings.UNDO_DAYS)
    ended = Q(finished_at__lte=over) | Q(finished_at__isnull=True, decided_at__lte=over)
    carrying = Request.objects.filter(ended, reverts__isnull=False).exclude(state__in=OPEN)
    for request in carrying.exclude(asked__has_key=EMPTIED)[:AT_ONCE]:
        _empty_parameters(request)
    return emptied


def empty_of(requests: QuerySet[Request], emptied_at: datetime) -> None:
    """For the erasure of a subject: in its transaction. Undos of these requests carry the same rows, whoever asked for them."""
    logs = UndoLog.objects.filter(request__in=requests, emptied_at__isnull=True)
    keeping.empty(logs, emptied_at)
    reverts = Request.objects.filter(reverts__in=requests).exclude(state__in=OPEN)
    keeping.empty(UndoLog.objects.filter(request__in=reverts, emptied_at__isnull=True), emptied_at)
    for request in reverts:
        _empty_parameters(request)


@transaction.atomic
def _empty_parameters(request: Request) -> None:
    """Their digest stays, and what the statement did."""
    Query.objects.filter(request=request).update(params=[])
    Revision.objects.filter(request=request).update(params=[])
    Request.objects.filter(pk=request.pk).update(params=[], asked={**request.asked, EMPTIED: True})
