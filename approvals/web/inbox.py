"""What one person asks the inbox for, and which requests that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from approvals import services
from approvals.models import Request
from approvals.searching import narrow
from approvals.states import State
from approvals.waiting import waits_for
from approvals.web.inbox_forms import TABS, Asked
from identity.principals import Principal
from identity.viewer import viewer


@dataclass(frozen=True, slots=True)
class Tab:
    """`count`: how many of it wait for review. `address`: the tab, with the filters as they are."""

    name: str
    word: str
    count: int
    address: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Inbox:
    """`waiting` is worked out once: several lists are asked with it."""

    person: Principal
    waiting: Q
    counts: Mapping[str, int]
    asked: Asked

    @classmethod
    def of(cls, http: HttpRequest) -> Inbox:
        person = viewer(http)
        waiting = waits_for(person)
        counts = _counts(person, waiting)
        usual = "mine" if counts["mine"] else "asked" if counts["asked"] else "all"
        return cls(person, waiting, counts, Asked.of(http.GET, usual))

    @property
    def counted(self) -> str:
        return "-".join(map(str, self.counts.values()))

    @property
    def tabs(self) -> list[Tab]:
        asked = self.asked
        return [
            Tab(name, word, self.counts[name], asked.address_of_tab(name), name == asked.tab)
            for name, word in TABS.items()
        ]

    def listed(self) -> QuerySet[Request]:
        """The tab, as far as the filters let it through."""
        related = Request.objects.select_related("datasource", "agent", "owner")
        if self.asked.tab == "mine":
            return narrow(related.filter(self.waiting), self.asked.wanted)
        return narrow(services.list_requests_for(self.person, self.asked.tab), self.asked.wanted)


def _counts(person: Principal, waiting: Q) -> dict[str, int]:
    asked = services.list_requests_for(person, "asked")
    return {
        "mine": Request.objects.filter(waiting).count(),
        "asked": asked.filter(state=State.PENDING).count(),
        "all": services.list_requests_for(person, "waiting").count(),
    }
