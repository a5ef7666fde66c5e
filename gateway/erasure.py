"""What the gateway keeps of a subject beside the ledger, and how it is emptied when the subject is erased.

Only of work that has ended: what still runs or waits for review needs its text. In the transaction of the erasure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import F, Func, JSONField, Model, Q, QuerySet, Value

from approvals.models import Request
from approvals.states import OPEN
from gateway.models import END_STATES, Query, Result
from gateway.undo import emptying as undo

M = TypeVar("M", bound=Model)


def empty(subject: str, erased_at: datetime) -> None:
    """The subject is whoever a statement was asked for on behalf of, else the principal: as `audit.ledger.subject_of`."""
    said = f"erased on {erased_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"
    problem = {"code": "erased", "title": "The content was erased", "status": 410, "detail": f"It was {said}."}
    emptied: dict[str, Any] = {"sql": f"-- {said}", "params": [], "normal": "", "purpose": "", "facts": _FACTS}
    ended = _of(Query.objects.filter(state__in=END_STATES), subject)
    Result.objects.filter(query__in=ended).delete()
    ended.filter(problem__isnull=False).update(problem=problem)
    ended.update(**emptied)
    finished = _of(Request.objects.exclude(state__in=OPEN), subject)
    finished.filter(outcome__has_key="problem").update(outcome={"problem": problem})
    undo.empty_of(finished, erased_at)
    finished.update(**emptied)


# What of the analysis repeats the text; which relations and columns it was about stays, as in the ledger's headers.
_FACTS = Func(
    F("facts"),
    Value({"normal": "", "hazards": [], "unknown": []}, JSONField()),
    template="%(expressions)s",
    arg_joiner=" || ",
    output_field=JSONField(),
)


def _of(rows: QuerySet[M], subject: str) -> QuerySet[M]:
    return rows.filter(Q(on_behalf_of=subject) | Q(on_behalf_of="", requester=subject))
