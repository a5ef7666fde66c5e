"""What the ledger page reads from people."""

from __future__ import annotations

from typing import Any

from django import forms

from audit.events import KINDS
from audit.search import EntryFilter

VERDICTS = [("", "Any"), ("allow", "Allowed"), ("review", "Review"), ("deny", "Denied")]


class MomentField(forms.DateTimeField):
    """A point in time in UTC, as `<input type="datetime-local">` sends it."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


def _identifier() -> forms.UUIDField:
    return forms.UUIDField(required=False, widget=forms.HiddenInput)


class EntryFilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=200, label="Text in the statement")
    principal = forms.CharField(required=False, max_length=200, widget=forms.TextInput({"placeholder": "agent:name"}))
    datasource = forms.CharField(required=False, max_length=63, label="Data source")
    relation = forms.CharField(required=False, max_length=130, widget=forms.TextInput({"placeholder": "schema.table"}))
    verdict = forms.ChoiceField(required=False, choices=VERDICTS)
    kind = forms.ChoiceField(required=False, label="Event")
    since = MomentField(required=False, label="From (UTC)")
    until = MomentField(required=False, label="Until (UTC)")
    run = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    fingerprint = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    query = _identifier()
    request = _identifier()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "Any"), *((kind.name, kind.title) for kind in KINDS.values())]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What was filled in and is valid."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def wanted(self) -> EntryFilter:
        values = self.values()
        values |= {name: str(values[name]) for name in ("query", "request") if name in values}
        return EntryFilter(**values)
