"""What the pages of notification read from people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group

from approvals.models import NotificationPreference, Webhook
from approvals.notification.events import EVENTS, SHARED
from approvals.notification.preferences import LONGEST_ADDRESS, time_zones
from audit.forwarding import checks

_LITERAL = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
_EVENTS = [(event.name, event.title) for event in EVENTS.values()]


class _Refusable(forms.Form):
    def refuse(self, field: str, message: str) -> None:
        self.add_error(field if field in self.fields else None, message)


class PreferenceForm(_Refusable):
    address = forms.CharField(
        required=False,
        max_length=LONGEST_ADDRESS,
        label="E-mail address",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
        help_text="Where you are told. Changing it is recorded in the ledger, without the address.",
    )
    email = forms.ChoiceField(choices=NotificationPreference.Email.choices, label="You get")
    digest_hour = forms.TypedChoiceField(
        choices=[(hour, f"{hour:02d}:00") for hour in range(24)], coerce=int, label="The daily one comes at"
    )
    time_zone = forms.ChoiceField(
        choices=[(name, name.replace("_", " ")) for name in time_zones()],
        label="Your time zone",
        help_text="For the daily e-mail, and for times in messages.",
    )
    told = forms.MultipleChoiceField(
        required=False, choices=_EVENTS, label="You are told when", widget=forms.CheckboxSelectMultiple
    )

    @classmethod
    def showing(cls, preference: NotificationPreference) -> PreferenceForm:
        told = [name for name in EVENTS if name not in preference.muted]
        shown = {name: getattr(preference, name) for name in ("email", "digest_hour", "time_zone")}
        return cls(initial={**shown, "address": preference.user.email, "told": told})

    def values(self) -> dict[str, Any]:
        """As `preferences.save` takes them."""
        given = dict(self.cleaned_data)
        told = given.pop("told")
        return {**given, "muted": [name for name in EVENTS if name not in told]}


class _WebhookForm(_Refusable):
    format = forms.ChoiceField(choices=Webhook.Format.choices, label="Sent as")
    events = forms.MultipleChoiceField(
        required=False,
        choices=[(name, EVENTS[name].subject.capitalize()) for name in SHARED],
        label="Only these events",
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of them.",
    )
    groups = forms.MultipleChoiceField(
        required=False,
        label="Only what waits for these groups",
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: whatever it waits for.",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        names = Group.objects.order_by("name").values_list("name", flat=True)
        self.fields["groups"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


def _address(**options: Any) -> forms.CharField:
    shown = forms.TextInput({**_LITERAL, "placeholder": "https://hooks.example.com/countersign"})
    return forms.CharField(max_length=checks.LONGEST_ADDRESS, widget=shown, **options)


class WebhookForm(_WebhookForm):
    name = forms.CharField(
        max_length=63,
        widget=forms.TextInput({**_LITERAL, "placeholder": "oncall"}),
        help_text="Small letters, digits, dots and dashes.",
    )
    address = _address(help_text="Kept encrypted, and not shown again: Slack’s are secrets.")
    field_order = ("name", "address", "format", "groups", "events")


class WebhookChangeForm(_WebhookForm):
    address = _address(required=False, label="Another address", help_text="Left empty, it stays as it is.")
    field_order = ("address", "format", "groups", "events")

    @classmethod
    def showing(cls, hook: Webhook) -> WebhookChangeForm:
        return cls(initial={"format": hook.format, "events": hook.events, "groups": hook.groups})
