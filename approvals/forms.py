"""What the pages of this app read from people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone

from approvals.models import Verdict
from governance.policy.words import in_words

LONGEST_COMMENT = 2000
MOST_ROWS = 2**62
MOST_RUNS = 1000
# How long a standing permission is offered for, as far as policy lets it last.
SPANS = (3600, 8 * 3600, 86_400, 7 * 86_400, 30 * 86_400)


class ReviewForm(forms.Form):
    """`seen` says which text the page showed: `revision:digest`. `grantable`: how many seconds a standing permission may
    last; without it there are no fields for one. `always_says_why`: an approval, too, needs a comment."""

    row_bound = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_ROWS,
        label="Most rows it may change",
        help_text="A run that would change more is rolled back. The narrowest of all who approve counts.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    runs = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_RUNS,
        label="More runs of the same",
        help_text="The same statement on the same relations, with other constants. Only if all who approve give it.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    within = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, label="Within")
    comment = forms.CharField(
        required=False,
        max_length=LONGEST_COMMENT,
        label="Comment",
        help_text="Recorded with your review. Needed to reject: say what should change.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    verdict = forms.ChoiceField(choices=Verdict.choices, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def __init__(self, *args: Any, grantable: int = 0, always_says_why: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if always_says_why:
            self.fields["comment"].help_text = "Recorded with your review. Say what you looked at and what you found."
        if not grantable:
            del self.fields["runs"], self.fields["within"]
            return
        spans = sorted({span for span in SPANS if span < grantable} | {grantable})
        within = self.fields["within"]
        assert isinstance(within, forms.TypedChoiceField)  # noqa: S101  narrows the type
        within.choices = [(span, in_words(span)) for span in spans]

    def clean(self) -> dict[str, object]:
        values: dict[str, object] = super().clean() or {}
        rejects = values.get("verdict") == Verdict.REJECT
        if rejects and not values.get("comment") and "comment" not in self.errors:
            self.add_error("comment", "Say why, so that whoever asked knows what to change.")
        if not rejects and values.get("runs") and not values.get("within") and "within" not in self.errors:
            self.add_error("within", "Say within what time.")
        return values

    @property
    def given(self) -> Mapping[str, Any]:
        """What belongs to an approval, as the service takes it; a rejection has none of it."""
        values = self.cleaned_data
        if values["verdict"] == Verdict.REJECT:
            return {}
        runs = values.get("runs")
        grant = {"runs": runs, "seconds": values["within"]} if runs else None
        return {"row_bound": values.get("row_bound"), "grant": grant}


class ScheduleForm(forms.Form):
    """Empty: as soon as it may. Times are in UTC, as a page that works without script cannot know any other."""

    run_at = forms.DateTimeField(
        required=False,
        label="Not before (UTC)",
        help_text="Empty: as soon as it may run.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"],
    )

    def clean_run_at(self) -> object:
        run_at = self.cleaned_data["run_at"]
        return timezone.make_aware(run_at) if run_at is not None and timezone.is_naive(run_at) else run_at
