"""Webhooks over REST: for administrators."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals.models import Webhook
from approvals.notification import webhooks
from approvals.notification.events import SHARED
from approvals.notification.webhooks import Added, UnknownWebhook, WebhookRefused
from audit.forwarding import checks
from gateway.api.inputs import Flag, Input, Text
from gateway.api.notification_views import ON_ITS_WAY
from gateway.api.outputs import moment
from gateway.api.policy_views import AdministratorsOnly
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text, whole
from gateway.api.views import principal_of


def _events() -> Any:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=list(SHARED)), required=False, max_length=len(SHARED), help_text="Empty for all."
    )  # fmt: skip


def _groups() -> Any:
    return serializers.ListField(
        child=Text(max_length=150),
        required=False,
        max_length=100,
        help_text="Only what waits for these; empty for all.",
    )


class WebhookInput(Input):
    name = Text(max_length=63)
    address = Text(max_length=checks.LONGEST_ADDRESS, help_text="https://…; kept encrypted, and not answered again.")
    format = serializers.ChoiceField(choices=Webhook.Format.choices, required=False)
    events = _events()
    groups = _groups()


class WebhookChangeInput(Input):
    """What is left out stays as it is."""

    address = Text(required=False, max_length=checks.LONGEST_ADDRESS)
    format = serializers.ChoiceField(choices=Webhook.Format.choices, required=False)
    events = _events()
    groups = _groups()
    is_active = Flag(required=False, help_text="Pauses or resumes.")


_WEBHOOK: dict[str, Shape] = {
    "name": text(),
    "address": text(allow_blank=True, help_text="Without its path, which may be a secret; empty if it does not open."),
    "format": serializers.ChoiceField(choices=Webhook.Format.choices),
    "events": serializers.ListField(child=text()),
    "groups": serializers.ListField(child=text()),
    "is_active": serializers.BooleanField(),
    "failures": whole(help_text="In a row."),
    "failing_since": serializers.DateTimeField(allow_null=True),
    "error": text(allow_blank=True),
    "secrets": whole(help_text="How many sign: two while a receiver changes over."),
}
_WITH_SECRET = shape("WebhookWithSecret", **_WEBHOOK, secret=text(help_text="Told once."))
_SHAPE = shape("Webhook", **_WEBHOOK)
WEBHOOKS = answers(200, shape("Webhooks", results=many("OneWebhook", **_WEBHOOK)), 403)
WEBHOOK = answers(200, _SHAPE, 400, 403, 404, 503)
ADDED = answers(201, _WITH_SECRET, 400, 403, 503)
SECRET = answers(201, _WITH_SECRET, 400, 403, 404, 503)
REMOVED = answers(204, None, 403, 404, 503)


class WebhookAPIView(APIView):
    permission_classes = [permissions.IsAuthenticated, AdministratorsOnly]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, UnknownWebhook):
            return self._final(problem(404, "unknown-webhook", "No such webhook", exc.message))
        if isinstance(exc, WebhookRefused):
            return self._final(problem(400, "invalid", "The request is not valid", f"{exc.field}: {exc.message}"))
        return super().handle_exception(exc)

    def _final(self, response: Response) -> Response:
        response.exception = True
        return response


class WebhooksView(WebhookAPIView):
    @extend_schema(operation_id="list_webhooks", responses=WEBHOOKS)
    def get(self, request: Request) -> Response:
        return Response({"results": [webhook_output(one) for one in webhooks.listed()]})

    @extend_schema(operation_id="add_webhook", request=WebhookInput, responses=ADDED)
    def post(self, request: Request) -> Response:
        """Answers the secret that it signs with, this once."""
        given = WebhookInput(data=request.data)
        given.is_valid(raise_exception=True)
        added = webhooks.add(**given.validated_data, actor=principal_of(request).label)
        return Response(_told_once(added), status=201)


class WebhookView(WebhookAPIView):
    @extend_schema(operation_id="get_webhook", responses=WEBHOOK)
    def get(self, request: Request, name: str) -> Response:
        return Response(webhook_output(webhooks.fetch(name)))

    @extend_schema(operation_id="change_webhook", request=WebhookChangeInput, responses=WEBHOOK)
    def patch(self, request: Request, name: str) -> Response:
        given = WebhookChangeInput(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, actor = dict(given.validated_data), principal_of(request).label
        hook = webhooks.fetch(name)
        active = wanted.pop("is_active", None)
        if wanted:
            before = {"format": hook.format, "events": hook.events, "groups": hook.groups}
            webhooks.change(name, **{**before, **wanted}, actor=actor)
        if active is not None:
            webhooks.switch(name, active=active, actor=actor)
        return Response(webhook_output(webhooks.fetch(name)))

    @extend_schema(operation_id="remove_webhook", responses=REMOVED)
    def delete(self, request: Request, name: str) -> Response:
        webhooks.remove(name, actor=principal_of(request).label)
        return Response(status=204)


class WebhookTestView(WebhookAPIView):
    @extend_schema(operation_id="test_webhook", request=None, responses=ON_ITS_WAY)
    def post(self, request: Request, name: str) -> Response:
        """Sends it a message; `GET webhooks/NAME` says if it failed."""
        webhooks.test(name)
        return Response({"status": "on its way"}, status=202)


class WebhookSecretView(WebhookAPIView):
    @extend_schema(operation_id="change_webhook_secret", request=None, responses=SECRET)
    def post(self, request: Request, name: str) -> Response:
        """The new secret and the one before it both sign from now on."""
        return Response(_told_once(webhooks.change_secret(name, actor=principal_of(request).label)), status=201)


class WebhookPreviousSecretView(WebhookAPIView):
    @extend_schema(operation_id="drop_webhook_previous_secret", responses=WEBHOOK)
    def delete(self, request: Request, name: str) -> Response:
        """Only the newest secret signs from now on."""
        return Response(webhook_output(webhooks.drop_previous_secret(name, actor=principal_of(request).label)))


def webhook_output(hook: Webhook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "address": webhooks.address_of(hook),
        "format": hook.format,
        "events": hook.events,
        "groups": hook.groups,
        "is_active": hook.is_active,
        "failures": hook.failures,
        "failing_since": moment(hook.failing_since),
        "error": hook.error,
        "secrets": webhooks.secret_count(hook),
    }


def _told_once(added: Added) -> dict[str, Any]:
    return {**webhook_output(added.webhook), "secret": added.secret}
