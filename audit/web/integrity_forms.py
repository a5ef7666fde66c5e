"""What the page of the ledger's integrity reads from people."""

from __future__ import annotations

from typing import Any

from django import forms

from audit.models import Witness
from audit.transparency.keys import LONGEST_REASON
from audit.transparency.witnesses import CREDENTIALS, LONGEST_ADDRESS, LONGEST_CREDENTIAL

_LITERAL = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


def _credential(label: str, **options: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=LONGEST_CREDENTIAL, label=label, strip=True, **options)


class WitnessForm(forms.Form):
    name = forms.CharField(
        max_length=63,
        widget=forms.TextInput({**_LITERAL, "placeholder": "audit-office"}),
        help_text="Small letters, digits, dots and dashes.",
    )
    kind = forms.ChoiceField(choices=Witness.KINDS)
    address = forms.CharField(
        max_length=LONGEST_ADDRESS,
        widget=forms.TextInput({**_LITERAL, "placeholder": "/mnt/audit-office"}),
        help_text="A folder that is there, s3://bucket/prefix, or the URL of a tlog-witness.",
    )
    verifier_key = forms.CharField(
        required=False,
        max_length=300,
        widget=forms.TextInput({**_LITERAL, "placeholder": "name+0123abcd+base64"}),
        help_text="Of a tlog-witness: it says whose cosignatures are kept.",
    )
    endpoint = _credential("Endpoint", widget=forms.TextInput({**_LITERAL, "placeholder": "https://s3.example.com"}))
    region = _credential("Region")
    access_key = _credential("Access key", widget=forms.TextInput(_LITERAL))
    secret_key = _credential("Secret key", widget=forms.PasswordInput({"autocomplete": "new-password"}))

    @property
    def store(self) -> list[forms.BoundField]:
        """The fields that only an S3-compatible store has."""
        return [self[name] for name in CREDENTIALS]

    def values(self) -> dict[str, Any]:
        """As `witnesses.add` takes them."""
        given = dict(self.cleaned_data)
        credentials = {name: given.pop(name) for name in CREDENTIALS}
        return {**given, "credentials": credentials}

    def refuse(self, field: str, message: str) -> None:
        self.add_error("access_key" if field == "credentials" else field, message)


class RotateForm(forms.Form):
    reason = forms.CharField(required=False, max_length=LONGEST_REASON, label="Reason")
