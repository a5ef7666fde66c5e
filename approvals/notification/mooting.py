"""Whether a message is still worth sending: hours may have passed since it was written."""

from __future__ import annotations

from approvals.eligibility import may_review
from approvals.errors import UnknownRequest
from approvals.finding import fetch_request_for
from approvals.models import Notification, Request
from approvals.notification.events import DIGEST, event_named
from approvals.notification.letters import included_in, waiting_for
from approvals.notification.preferences import preference_of, way_of
from approvals.states import State
from identity.models import User
from identity.principals import principal_of_user


def why_not(told: Notification) -> str:
    """Empty if it is still worth sending."""
    if told.user is None:
        return "" if told.webhook and told.webhook.is_active else "The webhook is paused."
    if not told.user.is_active:
        return "The account is closed."
    if chosen := way_of(preference_of(told.user), event_named(told.event)).why_not:
        return chosen
    if told.event == DIGEST:
        return "" if included_in(told) or waiting_for(told.user).exists() else "Nothing is left to tell."
    return _of_request(told, told.request, told.user) if told.request else ""


def _of_request(told: Notification, request: Request, user: User) -> str:
    person = principal_of_user(user)
    try:
        fetch_request_for(person, request.pk)
    except UnknownRequest:
        return "You may no longer see it."
    if event_named(told.event).wants_review and not may_review(request, person).allowed:
        return "It no longer waited for you."
    if told.event == State.APPROVED and request.state not in (State.APPROVED, State.EXECUTING):
        return "What came after it says more."
    return ""
