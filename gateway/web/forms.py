"""What the pages of the gateway read from people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings

from gateway.models import QueryState
from governance.models import DataSource


class QueryFilterForm(forms.Form):
    state = forms.ChoiceField(
        required=False, choices=[("", "Any"), *((value, label.capitalize()) for value, label in QueryState.choices)]
    )
    datasource = forms.CharField(required=False, max_length=63, label="Data source")
    principal = forms.CharField(required=False, max_length=160, widget=forms.TextInput({"placeholder": "agent:name"}))

    def values(self) -> dict[str, str]:
        """What was filled in and is valid."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class StatementForm(forms.Form):
    """The statement box. The text is taken exactly as it was typed: what is approved is what runs (P4)."""

    datasource = forms.ChoiceField(label="Data source")
    purpose = forms.CharField(
        required=False,
        max_length=1000,
        help_text="Reviewers read it, and it is recorded.",
    )
    sql = forms.CharField(
        strip=False,
        max_length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        label="Statement",
        widget=forms.Textarea(
            attrs={
                "class": "sql-input",
                "rows": 9,
                "spellcheck": "false",
                "autocapitalize": "off",
                "autocomplete": "off",
            }
        ),
        error_messages={"required": "Write a statement first."},
    )

    def __init__(self, *args: Any, datasources: Iterable[DataSource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(source.name, f"{source.name} ({source.get_environment_display()})") for source in datasources]
        self.fields["datasource"] = forms.ChoiceField(label="Data source", choices=choices)
        self.order_fields(["datasource", "purpose", "sql"])

    def clean_sql(self) -> str:
        # Browsers send line ends as CR LF; what was typed had none.
        sql = str(self.cleaned_data["sql"]).replace("\r\n", "\n")
        if not sql.strip():
            raise forms.ValidationError("Write a statement first.")
        return sql
