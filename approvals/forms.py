"""What the pages of this app read from people."""

from __future__ import annotations

from django import forms

from approvals.models import Verdict

LONGEST_COMMENT = 2000


class ReviewForm(forms.Form):
    comment = forms.CharField(
        required=False,
        max_length=LONGEST_COMMENT,
        label="Comment",
        help_text="Recorded with your review. Needed to reject: say what should change.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    verdict = forms.ChoiceField(choices=Verdict.choices, widget=forms.HiddenInput)

    def clean(self) -> dict[str, object]:
        values: dict[str, object] = super().clean() or {}
        if values.get("verdict") == Verdict.REJECT and not values.get("comment") and "comment" not in self.errors:
            self.add_error("comment", "Say why, so that whoever asked knows what to change.")
        return values
