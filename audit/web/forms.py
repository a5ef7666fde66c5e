"""What the ledger pages read from people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.events import KINDS
from audit.search import EntryFilter
from audit.search.filters import LONGEST_SEARCH_TEXT, MOST_VALUES, NAMES

VERDICTS = [("allow", "Allowed"), ("review", "Review"), ("deny", "Denied")]
RISKS = [("", "Any"), ("30", "30 and more"), ("60", "60 and more"), ("80", "80 and more")]
SPANS = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}


class MomentField(forms.DateTimeField):
    """A point in time in UTC, as `<input type="datetime-local">` sends it; a script shows it in the viewer's own zone."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "step": "1", "data-utc": ""}, format="%Y-%m-%dT%H:%M:%S"
    )


class AddingSelect(forms.SelectMultiple):
    """A select that adds to what is chosen already, which chips show and take away."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = [str(one) for one in value or ()]
        known = {str(key): word for key, word in self.choices}
        kept = format_html_join(
            "", '<input type="hidden" name="{}" value="{}">', ((name, one) for one in chosen if one in known)
        )
        options = format_html_join(
            "", '<option value="{}">{}</option>', ((key, word) for key, word in known.items() if key not in chosen)
        )
        first = "or also …" if chosen else "Any"
        select = '{}<select name="{}" id="{}"><option value="">{}</option>{}</select>'
        return format_html(select, kept, name, (attrs or {}).get("id", f"id_{name}"), first, options)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return list(filter(None, dict.fromkeys(given)))


class ListWidget(forms.TextInput):
    """Several values in one box, with commas between them; in an address also the name several times."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        given = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return ", ".join(filter(None, given))


class ListField(forms.CharField):
    def __init__(self, *, placeholder: str = "", **options: Any) -> None:
        super().__init__(required=False, max_length=2000, widget=ListWidget({"placeholder": placeholder}), **options)

    def clean(self, value: Any) -> tuple[str, ...]:
        values = tuple(dict.fromkeys(filter(None, (part.strip() for part in str(super().clean(value)).split(",")))))
        if len(values) > MOST_VALUES:
            raise forms.ValidationError(f"At most {MOST_VALUES} values.")
        return values


def _text(label: str, placeholder: str = "", most: int = 300) -> forms.CharField:
    return forms.CharField(
        required=False, max_length=most, label=label, widget=forms.TextInput({"placeholder": placeholder})
    )


class EntryFilterForm(forms.Form):
    """`FIRST` are always in sight, the others behind one click."""

    FIRST = ("text", "principal", "datasource", "kind", "verdict")

    text = _text("Text in the statement", "SELECT … FROM …", LONGEST_SEARCH_TEXT)
    principal = ListField(placeholder="agent:name")
    datasource = ListField(label="Data source")
    kind = forms.MultipleChoiceField(required=False, label="Event", widget=AddingSelect)
    verdict = forms.MultipleChoiceField(required=False, choices=VERDICTS, widget=AddingSelect)
    relation = ListField(placeholder="schema.table")
    on_behalf_of = _text("On behalf of")
    policy = ListField(label="Decided by policy")
    status = ListField(label="Ended as", placeholder="executed")
    actor = ListField(label="Reviewer or administrator", placeholder="user:name")
    risk_min = forms.TypedChoiceField(required=False, choices=RISKS, label="Risk", coerce=int, empty_value=None)
    run = _text("Run")
    fingerprint = _text("Fingerprint", most=64)
    since = MomentField(required=False, label="From (UTC)")
    until = MomentField(required=False, label="Until (UTC)")
    query = forms.UUIDField(required=False, widget=forms.HiddenInput)
    request = forms.UUIDField(required=False, widget=forms.HiddenInput)
    within = forms.ChoiceField(
        required=False, choices=[("", ""), *((name, word) for name, (word, _) in SPANS.items())],
        widget=forms.HiddenInput, label="Within",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `class` is a word of Python's, so it cannot be declared above.
        self.fields["class"] = ListField(label="Column class", placeholder="email")
        self.fields["kind"].choices = [(kind.name, kind.title) for kind in KINDS.values()]  # type: ignore[attr-defined]
        self.order_fields([*self.FIRST, "relation", "class"])

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [bound for bound in self.visible_fields() if bound.name not in self.FIRST]

    @property
    def more_open(self) -> bool:
        """Opened where something behind it is wrong; what is set there, chips show."""
        return any(bound.errors for bound in self.more_fields)

    def values(self) -> dict[str, Any]:
        """What was filled in and is valid. Exact times go before a span up to now."""
        values = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", (), [])}
        if "since" in values or "until" in values:
            values.pop("within", None)
        return values

    def pairs(self) -> list[tuple[str, str]]:
        """The same as parameters of an address, in the order of the fields."""
        values = self.values()
        found = []
        for name in self.fields:
            given = values.get(name, ())
            several: Iterable[Any] = given if isinstance(given, list | tuple) else (given,)
            found += [(name, _plain(value)) for value in several]
        return found

    def wanted(self) -> EntryFilter:
        fields = {name: field for field, name in NAMES.items()}
        values: dict[str, Any] = {
            fields.get(name, name): tuple(value) if isinstance(value, list) else value
            for name, value in self.values().items()
        }
        values |= {name: str(values[name]) for name in ("query", "request") if name in values}
        within = values.pop("within", "")
        if within:
            values["since"] = timezone.now() - SPANS[within][1]
        return EntryFilter(**values)


class SavedSearchForm(forms.Form):
    name = forms.CharField(max_length=80)
    is_shared = forms.BooleanField(required=False, label="Show it to everybody")


def _plain(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S") if hasattr(value, "strftime") else str(value)
