"""What administrators may send about policies, as strictly as all else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gateway.api.inputs import LONGEST_STATEMENT, Input, Text, WholeNumber
from governance.models import PolicyReview
from governance.policy.program import MAX_TEXT
from governance.policy.proposals import LONGEST_REVIEW
from governance.policy.store import LONGEST_COMMENT
from governance.policy.words import DOORS

# A replay is answered while the caller waits; the command line takes more.
MOST_REPLAYED = 500


def policy_text(**options: Any) -> Text:
    return Text(max_length=MAX_TEXT, allow_blank=True, help_text="A policy set, in Cedar.", **options)


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.DateTimeField):
    """Time zone included: an hour of another place than was meant would be the wrong one for what runs or ends then."""

    default_error_messages = {
        "invalid": "must be a time like 2026-01-31T12:00:00Z",
        "make_aware": "must say its time zone, like 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00",
        "overflow": "is further away than times go",
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self.fail("invalid")
        found: datetime = super().to_internal_value(data)
        return found

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("make_aware")
        aware: datetime = super().enforce_timezone(value)
        return aware


class PolicyTextInput(Input):
    text = policy_text()


class PolicyApplyInput(PolicyTextInput):
    comment = Text(required=False, default="", allow_blank=True, max_length=LONGEST_COMMENT, help_text="Why, in words.")


class PolicyReplayInput(PolicyTextInput):
    since = Moment(required=False, default=None, allow_null=True, help_text="A week ago, where it is left out.")
    datasource = Text(required=False, default=None, allow_null=True, max_length=63)
    limit = WholeNumber(required=False, default=MOST_REPLAYED, min_value=1, max_value=MOST_REPLAYED)


class PolicyExplainInput(Input):
    """`as` is a word of Python, so the field is put in by name."""

    datasource = Text(max_length=63, help_text="The data source's name.")
    sql = Text(max_length=LONGEST_STATEMENT, allow_blank=True)
    text = policy_text(required=False, allow_null=True, default=None)
    door = serializers.ChoiceField(choices=DOORS, required=False, default="rest")
    purpose = Text(required=False, default="", allow_blank=True, max_length=2000)
    on_behalf_of = Text(required=False, default="", allow_blank=True, max_length=200)

    def get_fields(self) -> dict[str, Any]:
        asker = Text(max_length=160, help_text="The principal: agent:NAME or user:NAME.")
        return {**super().get_fields(), "as": asker}


class PolicyReviewInput(Input):
    verdict = serializers.ChoiceField(choices=PolicyReview.Verdict.choices)
    comment = Text(required=False, default="", allow_blank=True, max_length=LONGEST_REVIEW)


def since_or_week(given: datetime | None) -> datetime:
    return given or timezone.now() - timedelta(days=7)
