"""What may be sent, strictly: a wrong type or an unknown field is told, never guessed at or passed over."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.models import Verdict
from approvals.reviewing import MOST_ROWS, MOST_RUNS
from gateway.submission import RunContext
from governance.policy.annotations import MAX_EXPIRES

# https://www.w3.org/TR/trace-context/#traceparent-header
TRACEPARENT = re.compile(r"\A[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
LONGEST_STATEMENT = 200_000
MOST_PARAMETERS = 1000
DEEPEST_PARAMETER = 100


class Text(serializers.CharField):
    """Text and nothing else: no number is taken for it, no blank is cut off."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be text")
        try:
            data.encode()
        except UnicodeEncodeError:
            raise serializers.ValidationError("is not valid Unicode text") from None
        return str(super().to_internal_value(data))


class WholeNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("must be a whole number")
        return int(super().to_internal_value(data))


class Seconds(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            raise serializers.ValidationError("must be a number of seconds")
        return float(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false")
        return data


@extend_schema_field({})
class Value(serializers.Field[Any, Any, Any, Any]):
    """A parameter: any JSON value that reaches the database as it was sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True, **options})

    def to_internal_value(self, data: Any) -> Any:
        _check_value(data, DEEPEST_PARAMETER)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def _check_value(value: Any, levels: int) -> None:
    if isinstance(value, float) and abs(value) >= 2**63:
        raise serializers.ValidationError(
            "is a number beyond 64 bits, which JSON does not carry exactly: send it as text"
        )
    if isinstance(value, (list, dict)):
        if not levels:
            raise serializers.ValidationError(f"nests more than {DEEPEST_PARAMETER} levels: send it as JSON text")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_value(inner, levels - 1)


class Input(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"non_field_errors": ["The body must be a JSON object."]})
        if unknown := sorted(set(data) - set(self.fields)):
            known = ", ".join(sorted(self.fields))
            raise serializers.ValidationError({name: [f"is not a known field. Known: {known}."] for name in unknown})
        return super().to_internal_value(data)


class RunInput(Input):
    id = Text(required=False, default="", allow_blank=True, max_length=200)
    step = Text(required=False, default="", allow_blank=True, max_length=200)
    model = Text(required=False, default="", allow_blank=True, max_length=200)
    traceparent = Text(required=False, default="", allow_blank=True, max_length=55)

    def validate_traceparent(self, value: str) -> str:
        if value and not TRACEPARENT.match(value):
            raise serializers.ValidationError("must be a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>")
        return value


class StatementInput(Input):
    datasource = Text(max_length=63, help_text="The data source's name.")
    sql = Text(
        max_length=LONGEST_STATEMENT, allow_blank=True, help_text="One statement, or several in one transaction."
    )
    params = serializers.ListField(
        child=Value(),
        required=False,
        default=list,
        max_length=MOST_PARAMETERS,
        help_text="One value for each $n, in order.",
    )
    purpose = Text(required=False, default="", allow_blank=True, max_length=2000, help_text="Why, in words.")
    run = RunInput(required=False, default=dict, help_text="The agent's run that this is a step of.")
    on_behalf_of = Text(
        required=False, default="", allow_blank=True, max_length=200, help_text="For whom the agent acts."
    )

    def validate_run(self, value: dict[str, str]) -> RunContext:
        return RunContext(**value) if value else RunContext()


class QueryInput(StatementInput):
    max_rows = WholeNumber(required=False, min_value=1, max_value=10_000_000)
    wait = Seconds(
        required=False, default=0, min_value=0, max_value=settings.MAX_WAIT_SECONDS,
        help_text="Wait this long for a parked statement to be decided and run.",
    )  # fmt: skip
    dry_run = Flag(required=False, default=False, help_text="Decide, and run nothing: the same as POST check.")


class GrantInput(Input):
    runs = WholeNumber(min_value=1, max_value=MOST_RUNS)
    seconds = WholeNumber(min_value=1, max_value=MAX_EXPIRES)


class ReviewInput(Input):
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    comment = Text(required=False, default="", allow_blank=True, max_length=4000, help_text="Needed to reject.")
    revision = WholeNumber(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1,
        help_text="The revision that was read: where it has been edited since, the review is refused. The first, if left out.",
    )  # fmt: skip
    row_bound = WholeNumber(
        required=False, allow_null=True, default=None, min_value=0, max_value=MOST_ROWS,
        help_text="It may change so many rows at most; where left out, as many as were measured.",
    )  # fmt: skip
    grant = GrantInput(required=False, allow_null=True, default=None, help_text="More runs of the same than one.")
