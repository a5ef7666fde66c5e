"""What the app keeps, a module a subject."""

from approvals.models.absences import Absence
from approvals.models.grants import Grant, GrantUse
from approvals.models.impact import Impact
from approvals.models.notification import Notification, NotificationPreference, Webhook
from approvals.models.requests import Request, Review, Revision, Verdict
from approvals.models.undo import UndoChunk, UndoLog

__all__ = [
    "Absence",
    "Grant",
    "GrantUse",
    "Impact",
    "Notification",
    "NotificationPreference",
    "Request",
    "Review",
    "Revision",
    "UndoChunk",
    "UndoLog",
    "Verdict",
    "Webhook",
]
