"""Witnesses, publishing and the log's key over REST: auditors read, administrators change."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.auditors import may_audit
from audit.models import Witness
from audit.transparency import keys, witnesses
from audit.transparency.keys import PublishedKey
from audit.transparency.publication import publish
from audit.transparency.witnesses import WitnessRefused
from gateway.api.inputs import Flag, Input, Text
from gateway.api.ledger_views import LogView
from gateway.api.outputs import moment
from gateway.api.policy_views import AdministratorsOnly
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text, whole
from gateway.api.views import principal_of


class AuditorsReadAdministratorsChange(permissions.BasePermission):
    message = "Witnesses are seen by auditors and administrators, and changed by administrators."

    def has_permission(self, request: Request, view: APIView) -> bool:
        person = principal_of(request)
        if not person.is_person:
            return False
        return person.is_administrator or (request.method in permissions.SAFE_METHODS and may_audit(person))


class CredentialsInput(Input):
    """Of an S3-compatible store; kept encrypted, and never answered."""

    endpoint = Text(required=False, default="", allow_blank=True, max_length=witnesses.LONGEST_CREDENTIAL)
    region = Text(required=False, default="", allow_blank=True, max_length=witnesses.LONGEST_CREDENTIAL)
    access_key = Text(required=False, default="", allow_blank=True, max_length=witnesses.LONGEST_CREDENTIAL)
    secret_key = Text(required=False, default="", allow_blank=True, max_length=witnesses.LONGEST_CREDENTIAL)


class WitnessInput(Input):
    name = Text(max_length=63)
    kind = serializers.ChoiceField(choices=list(witnesses.CHECKS))
    address = Text(
        max_length=witnesses.LONGEST_ADDRESS, help_text="A folder, s3://bucket/prefix, or a tlog-witness's URL."
    )
    verifier_key = Text(required=False, default="", allow_blank=True, max_length=300, help_text="Of a tlog-witness.")
    credentials = CredentialsInput(required=False, default=dict)


class SwitchInput(Input):
    is_active = Flag()


class RotationInput(Input):
    reason = Text(required=False, default="", allow_blank=True, max_length=keys.LONGEST_REASON)


_WITNESS: dict[str, Shape] = {
    "name": text(),
    "kind": serializers.ChoiceField(choices=list(witnesses.CHECKS)),
    "address": text(),
    "verifier_key": text(allow_blank=True),
    "is_active": serializers.BooleanField(),
    "size": whole(help_text="Of the newest checkpoint that it has."),
    "succeeded_at": serializers.DateTimeField(allow_null=True),
    "failures": whole(),
    "problem": text(allow_blank=True),
    "retry_at": serializers.DateTimeField(allow_null=True),
}
WITNESS_SHAPE = shape("Witness", **_WITNESS)
WITNESSES = answers(200, shape("Witnesses", results=many("OneWitness", **_WITNESS)), 403)
WITNESS = answers(200, WITNESS_SHAPE, 400, 403, 404, 503)
ADDED = answers(201, WITNESS_SHAPE, 400, 403, 503)
REMOVED = answers(204, None, 403, 404, 503)
PUBLISHED = answers(
    200,
    shape(
        "Publication",
        size=whole(),
        root=text(),
        reached=serializers.ListField(child=text()),
        failed=serializers.ListField(child=text()),
    ),
    403, 409, 500, 503,
)  # fmt: skip
ROTATED = answers(
    201,
    shape(
        "NewLogKey",
        name=text(),
        id=text(),
        verifier_key=text(),
        created_at=serializers.DateTimeField(),
        retired_at=serializers.DateTimeField(allow_null=True),
    ),
    400, 403, 500, 503,
)  # fmt: skip


class WitnessesView(APIView):
    permission_classes = [permissions.IsAuthenticated, AuditorsReadAdministratorsChange]

    @extend_schema(operation_id="list_witnesses", responses=WITNESSES)
    def get(self, request: Request) -> Response:
        """How far each is, and what is wrong with it."""
        return Response({"results": [witness_output(one) for one in Witness.objects.all()]})

    @extend_schema(operation_id="add_witness", request=WitnessInput, responses=ADDED)
    def post(self, request: Request) -> Response:
        """It is given the next checkpoint."""
        given = WitnessInput(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            added = witnesses.add(**given.validated_data, actor=principal_of(request).label)
        except WitnessRefused as error:
            return problem(400, "invalid", "The request is not valid", f"{error.field}: {error.message}")
        return Response(witness_output(added), status=201)


class WitnessView(APIView):
    permission_classes = [permissions.IsAuthenticated, AuditorsReadAdministratorsChange]

    @extend_schema(operation_id="get_witness", responses=WITNESS)
    def get(self, request: Request, name: str) -> Response:
        try:
            return Response(witness_output(witnesses.fetch(name)))
        except WitnessRefused as error:
            return _unknown(error)

    @extend_schema(operation_id="switch_witness", request=SwitchInput, responses=WITNESS)
    def patch(self, request: Request, name: str) -> Response:
        """On or off."""
        given = SwitchInput(data=request.data)
        given.is_valid(raise_exception=True)
        active = given.validated_data["is_active"]
        try:
            return Response(witness_output(witnesses.switch(name, active=active, actor=principal_of(request).label)))
        except WitnessRefused as error:
            return _unknown(error)

    @extend_schema(operation_id="remove_witness", responses=REMOVED)
    def delete(self, request: Request, name: str) -> Response:
        """What it keeps stays where it is."""
        try:
            witnesses.remove(name, actor=principal_of(request).label)
        except WitnessRefused as error:
            return _unknown(error)
        return Response(status=204)


class PublishView(LogView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="publish_checkpoint", request=None, responses=PUBLISHED)
    def post(self, request: Request) -> Response:
        """Signs the log as it is now and gives it to every witness, also to those that failed a moment ago."""
        publication = publish(all_now=True)
        if publication is None:
            return problem(409, "busy", "Another process is publishing", "Try again in a few seconds.")
        return Response(
            {
                "size": publication.checkpoint.size,
                "root": bytes(publication.checkpoint.root).hex(),
                "reached": publication.reached,
                "failed": publication.failed,
            }
        )


class RotationView(LogView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    @extend_schema(operation_id="rotate_log_key", request=RotationInput, responses=ROTATED)
    def post(self, request: Request) -> Response:
        """Another key signs from now on; the next checkpoint is signed by both."""
        given = RotationInput(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(
            key_output(keys.rotate(principal_of(request).label, given.validated_data["reason"])), status=201
        )


def witness_output(witness: Witness) -> dict[str, Any]:
    return {
        "name": witness.name,
        "kind": witness.kind,
        "address": witness.address,
        "verifier_key": witness.verifier_key,
        "is_active": witness.is_active,
        "size": witness.size,
        "succeeded_at": moment(witness.succeeded_at),
        "failures": witness.failures,
        "problem": witness.problem,
        "retry_at": moment(witness.retry_at),
    }


def key_output(key: PublishedKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "id": key.id,
        "verifier_key": key.verifier_key,
        "created_at": moment(key.created_at),
        "retired_at": moment(key.retired_at),
    }


def _unknown(error: WitnessRefused) -> Response:
    return problem(404, "unknown-witness", "No such witness", error.message)
