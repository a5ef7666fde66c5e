"""What the page of absences reads from people."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from approvals.absences import LONGEST_REASON, AbsenceRefused
from approvals.models import NotificationPreference
from identity.models import User
from identity.principals import Principal

_MOMENT = "%Y-%m-%dT%H:%M"


def _moment(label: str, *, required: bool, help_text: str = "") -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)
    return forms.DateTimeField(
        label=label, required=required, help_text=help_text, widget=widget, input_formats=[_MOMENT, "%Y-%m-%d %H:%M"]
    )


class AbsenceForm(forms.Form):
    """Times are read as the clock shows them in `zone`. Only administrators choose the person."""

    person = forms.ChoiceField(
        label="Who is away",
        error_messages={"invalid_choice": "Only administrators set the absence of somebody else, who must be there."},
    )
    delegate = forms.ChoiceField(
        label="Who speaks meanwhile", help_text="Reviews by your groups. Nothing else is passed on, and not further."
    )
    starts_at = _moment("From", required=False, help_text="Empty: from now on.")
    ends_at = _moment("Until", required=True)
    zone = forms.ChoiceField(label="By the clock in")
    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        label="Reason",
        help_text="Shown to you, to whoever speaks, to auditors and administrators.",
    )

    def __init__(self, viewer: Principal, data: Any = None) -> None:
        super().__init__(data, initial={"person": viewer.name, "zone": _zone_of(viewer)})
        active = User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True)
        names = [(name, name) for name in active]
        self._choose("person", names if viewer.is_administrator else [(viewer.name, viewer.name)])
        self._choose("delegate", [("", "Choose a person"), *(pair for pair in names if pair[0] != viewer.name)])
        zones = sorted(zoneinfo.available_timezones())
        self._choose("zone", [(name, name.replace("_", " ")) for name in zones])
        if not viewer.is_administrator:
            self.fields["person"].widget = forms.HiddenInput()

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        zone = zoneinfo.ZoneInfo(values.get("zone") or "UTC")
        for name in ("starts_at", "ends_at"):
            if isinstance(moment := values.get(name), datetime):
                values[name] = moment.replace(tzinfo=zone)
        values["starts_at"] = values.get("starts_at") or timezone.now()
        return values

    def refuse(self, refusal: AbsenceRefused) -> None:
        self.add_error(refusal.field if refusal.field in self.fields else None, refusal.message)


def _zone_of(viewer: Principal) -> str:
    """As the person wants to be told of other things."""
    chosen = NotificationPreference.objects.filter(user_id=viewer.id).values_list("time_zone", flat=True).first()
    return chosen or "UTC"
