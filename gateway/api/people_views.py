"""Second factors of people over REST: administrators see which there are, and take lost ones away."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.events import LONGEST_TEXT
from gateway.api.inputs import Input, Text
from gateway.api.outputs import moment
from gateway.api.policy_views import AdministratorsOnly
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text
from gateway.api.views import principal_of
from identity.errors import IdentityError
from identity.people import find_user
from identity.second_factor import Factor, factors_of, reset

_FACTOR: dict[str, Shape] = {
    "kind": serializers.ChoiceField(choices=["app", "passkey", "recovery codes"]),
    "name": text(allow_blank=True, help_text="What its person calls it; only passkeys have names."),
    "added_at": serializers.DateTimeField(),
    "last_shown_at": serializers.DateTimeField(allow_null=True),
}
FACTORS = answers(200, shape("Factors", user=text(), factors=many("Factor", **_FACTOR)), 403, 404)
RESET = answers(200, shape("FactorReset", user=text(), taken_away=many("FactorTaken", **_FACTOR)), 400, 403, 404, 409)


class FactorResetInput(Input):
    reason = Text(max_length=LONGEST_TEXT, help_text="Why. It is recorded for everybody.")


class FactorsView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="list_factors", responses=FACTORS)
    def get(self, request: Request, name: str) -> Response:
        """Which second factors a person has; never their keys."""
        try:
            return Response({"user": name, "factors": _factors_json(factors_of(find_user(name)))})
        except IdentityError:
            return _nobody(name)


class FactorResetView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="reset_factors", request=FactorResetInput, responses=RESET)
    def post(self, request: Request, name: str) -> Response:
        """Takes all second factors of somebody else away, who has lost them. Nobody's own: a token is not enough for that."""
        given = FactorResetInput(data=request.data)
        given.is_valid(raise_exception=True)
        actor = principal_of(request)
        if name == actor.name:
            return problem(
                403,
                "not-permitted",
                "Not your own",
                "Another administrator must, or you on the page, showing the factor.",
            )
        try:
            person = find_user(name)
        except IdentityError:
            return _nobody(name)
        try:
            taken = reset(person, actor=actor.label, reason=given.validated_data["reason"])
        except IdentityError as error:
            return problem(409, "no-factor", "Nothing to take away", str(error))
        return Response({"user": name, "taken_away": _factors_json(taken)})


def _nobody(name: str) -> Response:
    return problem(404, "unknown-user", "No such user", f"There is no user named {name!r}.")


def _factors_json(factors: list[Factor]) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.kind,
            "name": one.name,
            "added_at": moment(one.added_at),
            "last_shown_at": moment(one.last_shown_at),
        }
        for one in factors
    ]
