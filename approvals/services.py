"""Everything that happens to a request: what the other apps may call. Each change is a guarded UPDATE, its rows and its ledger
entry in one transaction.

Who acts comes from authentication only. Celery carries approved requests to the gateway; the row is the truth, and the
gateway's sweep publishes again what a lost broker dropped.

    asking      a request is made              reviewing    people say yes or no
    editing     it is changed, or withdrawn    scheduling   when it may run
    due         reminders, escalation, expiry  settling     what an approval does where nothing runs
    moving      the guarded step from one state to the next, which all of them take
"""

from __future__ import annotations

from approvals.agreement import agreed_grant, agreed_row_bound
from approvals.asking import Asked, create_request, terms_of
from approvals.due import escalate_due, expire_due, remind_due
from approvals.editing import edit, why_not_edit, withdraw
from approvals.eligibility import (
    Eligibility,
    lacking,
    may_review,
    owners_of,
    required_of,
    reviewers_of,
    standing_at,
)
from approvals.finding import AUDITORS, fetch_request_for, list_requests_for, waiting_count
from approvals.moving import LostRace, move, publish, publish_measuring
from approvals.reviewing import review
from approvals.scheduling import held_until, may_schedule, schedule, wait_for_next_window
from approvals.settling import settles

__all__ = [
    "AUDITORS",
    "Asked",
    "Eligibility",
    "LostRace",
    "agreed_grant",
    "agreed_row_bound",
    "create_request",
    "edit",
    "escalate_due",
    "expire_due",
    "fetch_request_for",
    "held_until",
    "lacking",
    "list_requests_for",
    "may_review",
    "may_schedule",
    "move",
    "owners_of",
    "publish",
    "publish_measuring",
    "remind_due",
    "required_of",
    "review",
    "reviewers_of",
    "schedule",
    "settles",
    "standing_at",
    "terms_of",
    "wait_for_next_window",
    "waiting_count",
    "why_not_edit",
    "withdraw",
]
