"""Notification over REST: what a person was told, and how they want to be told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals.models import Notification, NotificationPreference
from approvals.notification import history, preferences
from approvals.notification.events import EVENTS
from approvals.notification.history import Told
from approvals.notification.preferences import LONGEST_ADDRESS, PreferenceRefused
from gateway.api.filters import known_only
from gateway.api.inputs import Input, Text, WholeNumber
from gateway.api.outputs import moment
from gateway.api.problems import problem
from gateway.api.schemas import Shape, answers, many, shape, text, whole
from gateway.api.views import PeopleOnly, principal_of
from identity.models import User


class NotifiedPeopleOnly(PeopleOnly):
    message = "This is for people: agents are not sent messages."


class PreferencesInput(Input):
    """What is left out stays as it is."""

    address = Text(required=False, allow_blank=True, max_length=LONGEST_ADDRESS)
    email = serializers.ChoiceField(choices=NotificationPreference.Email.choices, required=False)
    muted = serializers.ListField(
        child=serializers.ChoiceField(choices=list(EVENTS)), required=False, max_length=len(EVENTS)
    )
    digest_hour = WholeNumber(required=False, min_value=0, max_value=23)
    time_zone = Text(required=False, max_length=64, help_text="Of the IANA database, like Europe/Stockholm.")


_TOLD: dict[str, Shape] = {
    "id": serializers.UUIDField(),
    "event": text(),
    "title": text(),
    "about": text(allow_blank=True),
    "url": text(allow_blank=True),
    "state": serializers.ChoiceField(choices=Notification.State.choices),
    "in_digest": serializers.BooleanField(),
    "attempts": whole(),
    "error": text(allow_blank=True, help_text="Why it was not sent, or not yet."),
    "created_at": serializers.DateTimeField(),
    "sent_at": serializers.DateTimeField(allow_null=True),
    "next_at": serializers.DateTimeField(allow_null=True, help_text="When it is tried, or tried again."),
}
_PREFERENCES: dict[str, Shape] = {
    "address": text(allow_blank=True),
    "email": serializers.ChoiceField(choices=NotificationPreference.Email.choices),
    "muted": serializers.ListField(child=text()),
    "digest_hour": whole(min_value=0, max_value=23),
    "time_zone": text(),
    "events": many("NotificationEvent", name=text(), title=text()),
    "warnings": serializers.ListField(child=text(), help_text="What this person would not hear of, and should."),
}
NOTIFICATIONS = answers(200, shape("Notifications", results=many("Notification", **_TOLD)), 403)
PREFERENCES = answers(200, shape("NotificationPreferences", **_PREFERENCES), 400, 403, 503)
ON_ITS_WAY = answers(202, shape("OnItsWay", status=text()), 400, 403)


class NotificationsView(APIView):
    permission_classes = [permissions.IsAuthenticated, NotifiedPeopleOnly]

    @extend_schema(operation_id="list_notifications", responses=NOTIFICATIONS)
    def get(self, request: Request) -> Response:
        """What you were told lately, newest first, and whether it arrived."""
        known_only(request)
        return Response({"results": [told_output(one) for one in history.told_to(person_of(request))]})


class PreferencesView(APIView):
    permission_classes = [permissions.IsAuthenticated, NotifiedPeopleOnly]

    @extend_schema(operation_id="get_notification_preferences", responses=PREFERENCES)
    def get(self, request: Request) -> Response:
        return Response(preferences_output(person_of(request)))

    @extend_schema(operation_id="change_notification_preferences", request=PreferencesInput, responses=PREFERENCES)
    def patch(self, request: Request) -> Response:
        given = PreferencesInput(data=request.data)
        given.is_valid(raise_exception=True)
        person = person_of(request)
        before = preferences.preference_of(person)
        kept = {name: getattr(before, name) for name in ("email", "muted", "digest_hour", "time_zone")}
        try:
            preferences.save(person, **{**kept, **given.validated_data})
        except PreferenceRefused as error:
            return problem(400, "invalid", "The request is not valid", f"{error.field}: {error.message}")
        return Response(preferences_output(person))


class TestView(APIView):
    permission_classes = [permissions.IsAuthenticated, NotifiedPeopleOnly]

    @extend_schema(operation_id="test_notification", request=None, responses=ON_ITS_WAY)
    def post(self, request: Request) -> Response:
        """Sends you a message; `GET notifications` says how it went."""
        try:
            history.send_test(person_of(request))
        except PreferenceRefused as error:
            return problem(400, "cannot-be-sent", "No test was sent", error.message)
        return Response({"status": "on its way"}, status=202)


def person_of(request: Request) -> User:
    return User.objects.get(pk=principal_of(request).id)


def told_output(told: Told) -> dict[str, Any]:
    row = told.row
    return {
        "id": str(row.pk),
        "event": row.event,
        "title": told.title,
        "about": told.about,
        "url": told.url,
        "state": row.state,
        "in_digest": row.in_digest,
        "attempts": row.attempts,
        "error": row.error,
        "created_at": moment(row.created_at),
        "sent_at": moment(row.sent_at),
        "next_at": moment(row.next_at),
    }


def preferences_output(person: User) -> dict[str, Any]:
    preference = preferences.preference_of(person)
    return {
        "address": person.email,
        "email": preference.email,
        "muted": preference.muted,
        "digest_hour": preference.digest_hour,
        "time_zone": preference.time_zone,
        "events": [{"name": event.name, "title": event.title} for event in EVENTS.values()],
        "warnings": preferences.warnings_for(person, preference),
    }
