"""What the pages of classification read from people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from governance.classes import ASSIGNABLE, BUILT_IN
from governance.classification import Target, parse_target
from governance.errors import GatewayError
from governance.scanning.proposals import Choice
from governance.web.classified import Wanted

CLASSES = [(name, BUILT_IN[name].title) for name in ASSIGNABLE]
SHOWN = [("classified", "With a class"), ("unclassified", "Without"), ("all", "All")]
LONGEST_TARGET = 600
MOST_SELECTED = 500


class ColumnFilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=200, label="Name")
    show = forms.ChoiceField(required=False, choices=SHOWN, label="Columns")
    data_class = forms.ChoiceField(required=False, choices=[("", "Any"), *CLASSES], label="Class")

    def wanted(self) -> Wanted:
        """What was filled in and is valid."""
        self.full_clean()
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value})


class ProposalFilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=200, label="Name")
    data_class = forms.ChoiceField(required=False, choices=[("", "Any"), *CLASSES], label="Class")
    least = forms.IntegerField(required=False, min_value=0, max_value=100, label="Confidence from")

    def values(self) -> dict[str, Any]:
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if value}


class ClassifyForm(forms.Form):
    column = forms.CharField(
        max_length=LONGEST_TARGET,
        help_text="schema.table.column, and for a place inside JSON :$.path. Names with dots or capitals in double quotes.",
        widget=forms.TextInput(
            {"placeholder": "public.customers.email", "spellcheck": "false", "autocapitalize": "off"}
        ),
    )
    data_class = forms.ChoiceField(choices=CLASSES, label="Class")

    def clean_column(self) -> Target:
        try:
            return parse_target(self.cleaned_data["column"])
        except GatewayError as error:
            raise forms.ValidationError(f"{error.message} {error.remedy}") from None


def read_choices(data: QueryDict) -> list[Choice]:
    """What was pressed: the button of one row, or one for all that are ticked. Empty where nothing is chosen."""
    for verdict in ("accept", "reject"):
        if pressed := data.get(verdict):
            wanted = data.getlist("proposal") if pressed == "selected" else [pressed]
            ids = [int(one) for one in wanted[:MOST_SELECTED] if one.isascii() and one.isdigit() and len(one) < 19]
            return [Choice(one, data.get(f"class-{one}", "") if verdict == "accept" else None) for one in ids]
    return []
