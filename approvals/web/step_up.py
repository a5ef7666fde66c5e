"""What a request's page says about the second factor that policy demands of whoever approves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from approvals.asking import terms_of
from approvals.models import Request
from governance.policy.words import in_words
from identity.models import User
from identity.second_factor import has_factor, shown_at


@dataclass(frozen=True, slots=True)
class StepUp:
    """`within`: how long ago it may have been shown, in words; `fresh`: it has been; `possible`: there is one to show."""

    within: str
    fresh: bool
    possible: bool


def step_up_of(http: HttpRequest, request: Request) -> StepUp | None:
    """None where policy demands none. Whether it is in time is decided when the review is given, not here."""
    seconds = terms_of(request).step_up
    if not seconds or not isinstance(http.user, User):
        return None
    shown = shown_at(http)
    fresh = shown is not None and timezone.now() - shown <= timedelta(seconds=seconds)
    return StepUp(in_words(seconds), fresh, has_factor(http.user))
