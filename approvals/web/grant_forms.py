"""What the pages of grants read from people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils import timezone

from approvals.grants.asking import LONGEST_REASON, SHORTEST_REASON, most_minutes_elevated, most_minutes_of_glass
from approvals.grants.bounds import MOST_RUNS
from approvals.grants.emergency import USUAL_MINUTES
from approvals.grants.listing import Wanted
from approvals.models import Grant
from governance.datasources import list_datasources_for
from governance.policy.words import in_words
from identity.models import Agent
from identity.principals import Principal

SPANS = (5, 15, 30, 60, 120, 240, 480, 1440, 10_080)
_MYSELF = ""


def spans(most: int) -> list[tuple[int, str]]:
    """Up to the longest that is possible, and that one."""
    return [(minutes, in_words(minutes * 60)) for minutes in sorted({*(one for one in SPANS if one < most), most})]


def _reason(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class _DataSourceForm(forms.Form):
    datasource = forms.ChoiceField(label="Data source")

    def __init__(self, person: Principal, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        named = [(one.name, f"{one.name} ({one.get_environment_display()})") for one in list_datasources_for(person)]
        self.fields["datasource"].choices = named  # type: ignore[attr-defined]

    def refuse(self, message: str) -> None:
        self.add_error(None, message)


class ElevationForm(_DataSourceForm):
    agent = forms.ChoiceField(label="For", required=False)
    group = forms.ChoiceField(label="To count as a member of")
    minutes = forms.TypedChoiceField(coerce=int, label="For how long", initial=30)
    reason = _reason("Reason", "What has to be done, and why it cannot be done as usual. Whoever decides reads it.")

    def __init__(self, person: Principal, data: Any = None, **options: Any) -> None:
        super().__init__(person, data, **options)
        agents = Agent.objects.filter(owner_id=person.id, is_active=True).values_list("name", flat=True)
        self.fields["agent"].choices = [(_MYSELF, f"myself ({person.name})"), *((name, name) for name in agents)]  # type: ignore[attr-defined]
        self.fields["group"].choices = [(name, name) for name in Group.objects.values_list("name", flat=True)]  # type: ignore[attr-defined]
        self.fields["minutes"].choices = spans(most_minutes_elevated())  # type: ignore[attr-defined]


class BreakGlassForm(_DataSourceForm):
    minutes = forms.TypedChoiceField(coerce=int, label="For how long", initial=USUAL_MINUTES)
    runs = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_RUNS,
        label="Statements at most",
        help_text="Empty: no limit but time.",
    )
    reason = _reason(
        "What the emergency is", "Everybody who is told can read it here, and so can whoever looks at it afterwards."
    )
    understood = forms.BooleanField(
        label="I know that this is told at once, and that somebody else looks at everything I run.",
        error_messages={"required": "Tick this: it says what happens next."},
    )

    def __init__(self, person: Principal, data: Any = None, **options: Any) -> None:
        super().__init__(person, data, **options)
        self.fields["minutes"].choices = spans(most_minutes_of_glass())  # type: ignore[attr-defined]


class NarrowForm(forms.Form):
    max_uses = forms.IntegerField(required=False, min_value=1, label="Runs in all")
    minutes = forms.IntegerField(required=False, min_value=1, label="Minutes from now until it ends")
    row_bound = forms.IntegerField(required=False, min_value=0, label="Rows that one run may change")
    comment = forms.CharField(
        required=False, max_length=LONGEST_REASON, label="Comment", widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, grant: Grant, data: Any = None) -> None:
        super().__init__(data, prefix="narrow")
        if grant.max_uses is None:
            self.fields["max_uses"].help_text = "Without a limit now."
        else:
            self.fields["max_uses"].help_text = f"{grant.max_uses} now, {grant.uses} used."
        if grant.kind != Grant.Kind.STATEMENT:
            del self.fields["row_bound"]

    def changes(self) -> dict[str, Any]:
        """As `services.narrow` takes them."""
        given = dict(self.cleaned_data)
        minutes = given.pop("minutes")
        return {**given, "expires_at": timezone.now() + timedelta(minutes=minutes) if minutes else None}


class EndForm(forms.Form):
    comment = forms.CharField(
        required=False, max_length=LONGEST_REASON, label="Comment", widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix="end")


class GrantFilterForm(forms.Form):
    kind = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            ("statement", "Statement again"),
            ("elevation", "Elevation"),
            ("break_glass", "Broken glass"),
        ],
    )
    datasource = forms.CharField(required=False, max_length=63, label="Data source")
    principal = forms.CharField(
        required=False,
        max_length=160,
        label="Held by",
        widget=forms.TextInput(attrs={"placeholder": "agent or person"}),
    )

    def wanted(self, which: str) -> Wanted:
        self.full_clean()
        return Wanted(which, **{name: value for name, value in self.cleaned_data.items() if "\x00" not in value})
