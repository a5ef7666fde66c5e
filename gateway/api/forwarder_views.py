"""Forwarders over REST: auditors read, administrators change."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.forwarding import administration, checks
from audit.forwarding.administration import Added
from audit.forwarding.batches import FORMS
from audit.forwarding.errors import ForwarderRefused, UnknownForwarder
from audit.forwarding.health import health_of
from audit.models import Forwarder
from gateway.api.inputs import Flag, Input, Text, WholeNumber
from gateway.api.outputs import moment
from gateway.api.policy_views import AdministratorsOnly
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text, whole
from gateway.api.transparency_views import AuditorsReadAdministratorsChange
from gateway.api.views import principal_of


class ForwarderPermission(AuditorsReadAdministratorsChange):
    message = "Forwarders are seen by auditors and administrators, and changed by administrators."


class CertificatesInput(Input):
    """PEM text, for tls:// and https:// addresses. Kept encrypted, and never answered."""

    ca = Text(required=False, default="", allow_blank=True, max_length=checks.LONGEST_CERTIFICATE)
    certificate = Text(required=False, default="", allow_blank=True, max_length=checks.LONGEST_CERTIFICATE)
    key = Text(required=False, default="", allow_blank=True, max_length=checks.LONGEST_CERTIFICATE)


class ForwarderInput(Input):
    name = Text(max_length=63)
    kind = serializers.ChoiceField(choices=list(checks.ADDRESSES))
    address = Text(
        max_length=checks.LONGEST_ADDRESS,
        help_text="tls://host:6514, https://host/path, or the name of a file in the folder for forwarding.",
    )
    first = WholeNumber(
        required=False, default=0, allow_null=True, min_value=0, help_text="Where to begin; null: with what comes next."
    )
    form = serializers.ChoiceField(choices=list(FORMS), required=False, default="entry")
    kinds = serializers.ListField(
        child=Text(max_length=63), required=False, default=list, max_length=200, help_text="Of entries; empty for all."
    )
    secret = Text(
        required=False, default="", allow_blank=True, max_length=checks.LONGEST_SECRET,
        help_text="Of a webhook; one is made if it is left out.",
    )  # fmt: skip
    most_bytes = WholeNumber(
        required=False, default=None, allow_null=True, help_text="A file is renamed when it has so many."
    )
    certificates = CertificatesInput(required=False, default=dict)


class ForwarderSwitchInput(Input):
    is_active = Flag()


class SecretInput(Input):
    secret = Text(required=False, default="", allow_blank=True, max_length=checks.LONGEST_SECRET)


_FORWARDER: dict[str, Shape] = {
    "name": text(),
    "kind": serializers.ChoiceField(choices=list(checks.ADDRESSES)),
    "address": text(),
    "form": serializers.ChoiceField(
        choices=list(FORMS),
        allow_null=True,
        help_text="This, kinds and secrets are null where its secrets do not open.",
    ),
    "kinds": serializers.ListField(child=text(), allow_null=True),
    "is_active": serializers.BooleanField(),
    "state": serializers.ChoiceField(choices=["current", "behind", "failing", "paused"]),
    "next": whole(help_text="The first entry that the receiver has not confirmed."),
    "lag": whole(help_text="Entries that wait."),
    "lag_seconds": serializers.FloatField(
        allow_null=True, help_text="How long ago the next one happened; null if none waits, or it is in an archive."
    ),
    "delivered_at": serializers.DateTimeField(allow_null=True),
    "failures": whole(help_text="In a row."),
    "problem": text(allow_blank=True),
    "retry_at": serializers.DateTimeField(allow_null=True),
    "secrets": whole(allow_null=True, help_text="How many secrets sign: two while a receiver changes over."),
}
_SHAPE = shape("Forwarder", **_FORWARDER)
_WITH_SECRET = shape(
    "ForwarderWithSecret", **_FORWARDER, secret=text(allow_blank=True, help_text="Told once, if it was made here.")
)
FORWARDERS = answers(200, shape("Forwarders", results=many("OneForwarder", **_FORWARDER)), 403)
FORWARDER = answers(200, _SHAPE, 400, 403, 404, 503)
ADDED = answers(201, _WITH_SECRET, 400, 403, 503)
REMOVED = answers(204, None, 403, 404, 503)
SECRET = answers(201, _WITH_SECRET, 400, 403, 404, 503)


class ForwardersView(APIView):
    permission_classes = [permissions.IsAuthenticated, ForwarderPermission]

    @extend_schema(operation_id="list_forwarders", responses=FORWARDERS)
    def get(self, request: Request) -> Response:
        """How far each is, and what is wrong with it."""
        return Response({"results": [forwarder_output(one) for one in administration.listed()]})

    @extend_schema(operation_id="add_forwarder", request=ForwarderInput, responses=ADDED)
    def post(self, request: Request) -> Response:
        """It begins within seconds."""
        given = ForwarderInput(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            added = administration.add(**given.validated_data, actor=principal_of(request).label)
        except ForwarderRefused as error:
            return _refused(error)
        return Response(_told_once(added), status=201)


class ForwarderView(APIView):
    permission_classes = [permissions.IsAuthenticated, ForwarderPermission]

    @extend_schema(operation_id="get_forwarder", responses=FORWARDER)
    def get(self, request: Request, name: str) -> Response:
        try:
            return Response(forwarder_output(administration.fetch(name)))
        except ForwarderRefused as error:
            return _refused(error)

    @extend_schema(operation_id="switch_forwarder", request=ForwarderSwitchInput, responses=FORWARDER)
    def patch(self, request: Request, name: str) -> Response:
        """Pauses or resumes; it goes on where it stopped."""
        given = ForwarderSwitchInput(data=request.data)
        given.is_valid(raise_exception=True)
        active = given.validated_data["is_active"]
        try:
            switched = administration.switch(name, active=active, actor=principal_of(request).label)
        except ForwarderRefused as error:
            return _refused(error)
        return Response(forwarder_output(switched))

    @extend_schema(operation_id="remove_forwarder", responses=REMOVED)
    def delete(self, request: Request, name: str) -> Response:
        """What it has sent stays where it is."""
        try:
            administration.remove(name, actor=principal_of(request).label)
        except ForwarderRefused as error:
            return _refused(error)
        return Response(status=204)


class ForwarderSecretView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="change_forwarder_secret", request=SecretInput, responses=SECRET)
    def post(self, request: Request, name: str) -> Response:
        """The new secret and the one before it both sign from now on."""
        given = SecretInput(data=request.data)
        given.is_valid(raise_exception=True)
        actor = principal_of(request).label
        try:
            changed = administration.change_secret(name, actor=actor, secret=given.validated_data["secret"])
        except ForwarderRefused as error:
            return _refused(error)
        return Response(_told_once(changed), status=201)


class ForwarderPreviousSecretView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="drop_forwarder_previous_secret", responses=FORWARDER)
    def delete(self, request: Request, name: str) -> Response:
        """Only the newest secret signs from now on."""
        try:
            changed = administration.drop_previous_secret(name, actor=principal_of(request).label)
        except ForwarderRefused as error:
            return _refused(error)
        return Response(forwarder_output(changed))


def forwarder_output(forwarder: Forwarder) -> dict[str, Any]:
    health = health_of(forwarder)
    config = health.config
    return {
        "name": forwarder.name,
        "kind": forwarder.kind,
        "address": forwarder.address,
        "form": None if config is None else config.get("form", "entry"),
        "kinds": None if config is None else config.get("kinds", []),
        "is_active": forwarder.is_active,
        "state": health.state,
        "next": forwarder.next,
        "lag": health.lag,
        "lag_seconds": None if health.lag_time is None else health.lag_time.total_seconds(),
        "delivered_at": moment(forwarder.delivered_at),
        "failures": forwarder.failures,
        "problem": health.problem,
        "retry_at": moment(forwarder.retry_at),
        "secrets": None if config is None else len(config.get("secrets", [])),
    }


def _told_once(added: Added) -> dict[str, Any]:
    return {**forwarder_output(added.forwarder), "secret": added.secret}


def _refused(error: ForwarderRefused) -> Response:
    if isinstance(error, UnknownForwarder):
        return problem(404, "unknown-forwarder", "No such forwarder", error.message)
    return problem(400, "invalid", "The request is not valid", f"{error.field}: {error.message}")
