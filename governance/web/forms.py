"""What the pages of policies read from people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms

from governance.models import PolicySet
from governance.policy.store import LONGEST_COMMENT
from governance.policy.words import DOORS, ENVIRONMENTS
from governance.web.cards import Wanted

SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}

EFFECTS = [("", "Any"), ("permit", "Permits"), ("review", "Parks"), ("forbid", "Forbids")]
ACTIONS = ("read", "write", "define", "administer", "unmask", "export", "approve", "activate", "elevate", "break_glass")


class CardFilterForm(forms.Form):
    effect = forms.ChoiceField(required=False, choices=EFFECTS)
    action = forms.ChoiceField(required=False, choices=[("", "Any"), *((action, action) for action in ACTIONS)])
    text = forms.CharField(required=False, max_length=200, label="Text in the policy")

    def wanted(self) -> Wanted:
        """What was filled in and is valid."""
        self.full_clean()
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value})


class CompareForm(forms.Form):
    old = forms.TypedChoiceField(coerce=int, label="From version")
    new = forms.TypedChoiceField(coerce=int, label="To version")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = PolicySet.objects.values_list("version", "comment", "is_active")
        choices = [(number, _named(number, comment, active)) for number, comment, active in stored]
        for name in ("old", "new"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]


def _named(number: int, comment: str, is_active: bool) -> str:
    words = f"{number}{' (active)' if is_active else ''}"
    return f"{words}: {comment[:60]}" if comment else words


# --- Edited policies ----------------------------------------------------------------------------------------------


class DraftForm(forms.Form):
    """A text that somebody is editing. `base` is the version that was active when they began."""

    text = forms.CharField(strip=False, required=False)
    base = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def clean_text(self) -> str:
        # Browsers send line ends as CR LF; what was typed had none.
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class CommentForm(forms.Form):
    """Why; those who read the ledger and the list of versions see it."""

    comment = forms.CharField(
        max_length=LONGEST_COMMENT,
        label="Why",
        help_text="Recorded with the version, in the ledger too.",
        widget=forms.TextInput,
        error_messages={"required": "Say why, for those who read the ledger later."},
    )


class TrialForm(forms.Form):
    """A statement to be explained. Nobody has to fill it in: it stands below the editor."""

    use_required_attribute = False
    datasource = forms.ChoiceField(label="Data source")
    asker = forms.ChoiceField(label="Asked by")
    door = forms.ChoiceField(choices=[(door, door) for door in DOORS])
    environment = forms.ChoiceField(
        required=False, choices=[("", "as it is"), *((name, name) for name in ENVIRONMENTS)]
    )
    purpose = forms.CharField(required=False, max_length=1000)
    sql = forms.CharField(
        strip=False,
        label="Statement",
        widget=forms.Textarea(
            attrs={
                "class": "sql-input trial-input",
                "rows": 4,
                "spellcheck": "false",
                "autocapitalize": "off",
                "autocomplete": "off",
            }
        ),
        error_messages={"required": "Write a statement first."},
    )

    def __init__(self, *args: Any, sources: Iterable[str], askers: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["datasource"].choices = [(name, name) for name in sources]  # type: ignore[attr-defined]
        self.fields["asker"].choices = [(label, label.replace(":", " ", 1)) for label in askers]  # type: ignore[attr-defined]

    def clean_sql(self) -> str:
        sql = str(self.cleaned_data["sql"]).replace("\r\n", "\n")
        if not sql.strip():
            raise forms.ValidationError("Write a statement first.")
        return sql


class ReplayForm(forms.Form):
    use_required_attribute = False
    span = forms.ChoiceField(choices=[(name, f"the last {name}") for name in SPANS], label="Statements of")
    source = forms.ChoiceField(required=False, label="On")
    job = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, sources: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "every data source"), *((name, name) for name in sources)]
        self.fields["source"].choices = choices  # type: ignore[attr-defined]


class ProposalReviewForm(forms.Form):
    comment = forms.CharField(
        required=False,
        max_length=LONGEST_COMMENT,
        help_text="Recorded with your review. Needed to reject: say what should change.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    verdict = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")], widget=forms.HiddenInput)

    def clean(self) -> dict[str, object]:
        values: dict[str, object] = super().clean() or {}
        if values.get("verdict") == "reject" and not values.get("comment") and "comment" not in self.errors:
            self.add_error("comment", "Say why, so that the author knows what to change.")
        return values
