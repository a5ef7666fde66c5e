"""What the page of forwarders reads from people."""

from __future__ import annotations

from typing import Any

from django import forms

from audit.events import KINDS
from audit.forwarding import checks
from audit.forwarding.batches import FORMS
from audit.models import Forwarder

_LITERAL = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


def _pem(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=checks.LONGEST_CERTIFICATE,
        label=label,
        help_text=help_text,
        widget=forms.Textarea({**_LITERAL, "rows": 3, "placeholder": "-----BEGIN …"}),
    )


class ForwarderForm(forms.Form):
    name = forms.CharField(
        max_length=63,
        widget=forms.TextInput({**_LITERAL, "placeholder": "siem"}),
        help_text="Small letters, digits, dots and dashes.",
    )
    kind = forms.ChoiceField(choices=Forwarder.KINDS)
    address = forms.CharField(
        max_length=checks.LONGEST_ADDRESS,
        widget=forms.TextInput({**_LITERAL, "placeholder": "tls://syslog.example.com:6514"}),
        help_text="tls://host:6514, https://host/path, or a file’s name like siem/entries.ndjson.",
    )
    begin = forms.ChoiceField(
        choices=[("all", "the first entry of the ledger"), ("now", "what happens from now on")], label="Begin with"
    )
    form = forms.ChoiceField(choices=list(FORMS.items()), label="Sent as")
    kinds = forms.CharField(
        required=False,
        max_length=4000,
        label="Only these kinds",
        widget=forms.TextInput({**_LITERAL, "placeholder": "statement.denied signin.failed"}),
        help_text="Separated by spaces; empty for all.",
    )
    secret = forms.CharField(
        required=False,
        max_length=checks.LONGEST_SECRET,
        label="Secret of a webhook",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="Left empty, one is made and shown once.",
    )
    ca = _pem("Authority of the receiver", "Left empty, those that the system trusts.")
    certificate = _pem("Certificate to show")
    key = _pem("Its key")

    @property
    def certificates(self) -> list[forms.BoundField]:
        return [self[name] for name in checks.CERTIFICATES]

    def clean_kinds(self) -> list[str]:
        kinds = self.cleaned_data["kinds"].replace(",", " ").split()
        if unknown := [kind for kind in kinds if kind not in KINDS]:
            raise forms.ValidationError(f"There are no entries of the kind “{unknown[0]}”.")
        return list(kinds)

    def values(self) -> dict[str, Any]:
        """As `administration.add` takes them."""
        given = dict(self.cleaned_data)
        certificates = {name: given.pop(name) for name in checks.CERTIFICATES}
        first = 0 if given.pop("begin") == "all" else None
        return {**given, "first": first, "certificates": certificates}

    def refuse(self, field: str, message: str) -> None:
        self.add_error(field if field in self.fields else None, message)
