"""What the inbox reads from an address: which tab, filters, order, place. REST reads its filters with the same form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode

from approvals.models import Request
from approvals.paging import ORDERS
from approvals.searching import ENDED_STATES, LONGEST_TEXT, OPEN_STATES, RequestFilter
from approvals.states import State
from audit.web.forms import RISKS, MomentField
from governance.models import DataSource, Environment

TABS = {"mine": "For you", "asked": "Asked by me", "all": "All"}
# Names that addresses kept elsewhere may still have.
FORMER_TABS = {"waiting": ("all", State.PENDING.value), "decided": ("all", ENDED_STATES)}
ORDER_OF_TAB = {"mine": "expires", "asked": "newest", "all": "newest"}
STATE_WORDS = {
    OPEN_STATES: "Not ended",
    State.PENDING: "Waiting",
    State.APPROVED: "Approved",
    State.EXECUTING: "Running",
    ENDED_STATES: "Ended",
    State.EXECUTED: "Executed",
    State.FAILED: "Failed",
    State.UNKNOWN: "Outcome unknown",
    State.REJECTED: "Rejected",
    State.WITHDRAWN: "Withdrawn",
    State.EXPIRED: "Expired",
    State.DRIFTED: "Drifted",
}
KIND_WORDS = {
    Request.Kind.STATEMENT: "Statement",
    Request.Kind.ELEVATION: "Elevation",
    Request.Kind.AFTERWARDS: "Review afterwards",
}
LABELS = {"risk_min": "Risk at least", "text": "Text", "since": "From", "until": "Until"}


class _AsGiven(forms.ChoiceField):
    """Offers what there is, and takes also what is not there any more."""

    def valid_value(self, value: Any) -> bool:
        return "\x00" not in str(value)


def _text(label: str, placeholder: str, most: int) -> forms.CharField:
    return forms.CharField(
        required=False, max_length=most, label=label, widget=forms.TextInput({"placeholder": placeholder})
    )


class RequestFilterForm(forms.Form):
    """`FIRST` are always in sight, the others behind one click."""

    FIRST = ("text", "datasource", "principal", "state", "sort")

    text = _text("Text", "in statement or purpose", LONGEST_TEXT)
    datasource = _AsGiven(required=False, label="Data source")
    principal = _text("Asked by", "agent:name", 160)
    state = forms.ChoiceField(required=False, choices=[("", "Any"), *STATE_WORDS.items()])
    sort = forms.ChoiceField(required=False, label="Order")
    environment = forms.ChoiceField(required=False, choices=[("", "Any"), *Environment.choices])
    group = _text("Needs group", "dba", 150)
    kind = forms.ChoiceField(required=False, choices=[("", "Any"), *KIND_WORDS.items()])
    risk_min = forms.IntegerField(
        required=False, min_value=0, max_value=100, label="Risk", widget=forms.Select(choices=RISKS)
    )
    since = MomentField(required=False, label="Asked from (UTC)")
    until = MomentField(required=False, label="Asked until (UTC)")
    show = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, tab: str) -> None:
        super().__init__(data)
        names = DataSource.objects.order_by("name").values_list("name", flat=True)
        self.fields["datasource"].choices = [("", "Any"), *((name, name) for name in names)]  # type: ignore[attr-defined]
        usual = ORDER_OF_TAB[tab]
        others = [(name, order.word) for name, order in ORDERS.items() if name != usual]
        self.fields["sort"].choices = [("", ORDERS[usual].word), *others]  # type: ignore[attr-defined]
        if tab == "mine":
            # What waits for somebody is in one state.
            del self.fields["state"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("since") and values.get("until") and values["since"] >= values["until"]:
            self.add_error("until", "Must be later than the beginning.")
        return values

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST if name in self.fields]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [bound for bound in self.visible_fields() if bound.name not in self.FIRST]

    @property
    def more_open(self) -> bool:
        """Opened where something behind it is wrong; what is set there, chips show."""
        return any(bound.errors for bound in self.more_fields)

    def wanted(self) -> RequestFilter:
        """What was filled in and is valid."""
        given = {field.name: self.cleaned_data.get(field.name) for field in fields(RequestFilter)}
        return RequestFilter(**{name: value for name, value in given.items() if value not in (None, "")})


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set; `without` is the address without it."""

    label: str
    value: str
    without: str
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. `after` and `before` are cursors (approvals/paging.py)."""

    tab: str
    form: RequestFilterForm
    wanted: RequestFilter
    sort: str
    after: str
    before: str

    @classmethod
    def of(cls, given: QueryDict, usual_tab: str) -> Asked:
        tab, data = given.get("show", ""), given.copy()
        if tab in FORMER_TABS:
            tab, state = FORMER_TABS[tab]
            data.setdefault("state", state)
        tab = tab if tab in TABS else usual_tab
        data["show"] = tab
        form = RequestFilterForm(data, tab=tab)
        form.is_valid()
        sort = form.cleaned_data.get("sort") or ORDER_OF_TAB[tab]
        return cls(tab, form, form.wanted(), sort, given.get("after", ""), given.get("before", ""))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Tab, filters and order, as parameters of an address."""
        pairs = [("show", self.tab), *((name, _plain(value)) for name, value in self._filters())]
        return pairs + ([("sort", self.sort)] if self.sort != ORDER_OF_TAB[self.tab] else [])

    def address(self, **more: str) -> str:
        return urlencode([*self.pairs, *((name, value) for name, value in more.items() if value)])

    def address_of_tab(self, tab: str) -> str:
        """The other tab, with the same filters where it has them."""
        return urlencode([("show", tab), *((n, v) for n, v in self.pairs if n not in ("show", "sort", "state"))])

    def address_without_filters(self) -> str:
        return urlencode([(name, value) for name, value in self.pairs if name in ("show", "sort")])

    @property
    def chips(self) -> list[Chip]:
        chips = []
        for name, value in self._filters():
            without = urlencode([(n, v) for n, v in self.pairs if n != name])
            is_time = isinstance(value, datetime)
            chips.append(
                Chip(self._label(name), _plain(value) if is_time else self._word(name, value), without, is_time)
            )
        return chips

    def _filters(self) -> Iterable[tuple[str, Any]]:
        for field in fields(RequestFilter):
            value = getattr(self.wanted, field.name)
            if value not in (None, ""):
                yield field.name, value

    def _label(self, name: str) -> str:
        return LABELS.get(name) or str(self.form.fields[name].label or name.capitalize())

    @staticmethod
    def _word(name: str, value: Any) -> str:
        words: dict[str, dict[Any, str]] = {
            "state": STATE_WORDS,
            "kind": KIND_WORDS,
            "environment": dict(Environment.choices),
        }
        return words.get(name, {}).get(value, str(value))


def _plain(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S") if isinstance(value, datetime) else str(value)
