"""Which requests are asked for: the filters of the inbox, strictly. What is not understood is told."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from approvals.paging import ORDERS, within
from approvals.searching import RequestFilter
from approvals.web.inbox_forms import RequestFilterForm
from gateway.api.filters import one_of, whole_number

WHICH = ("all", "waiting", "mine", "asked", "decided")
FILTERS = tuple(field.name for field in fields(RequestFilter))
KNOWN = {"which", "sort", "limit", "offset", "after", *FILTERS}


@dataclass(frozen=True, slots=True)
class RequestQuery:
    """`after`: the `next` of the page before; `offset` counts rows instead, and slows with depth."""

    which: str
    wanted: RequestFilter
    sort: str
    limit: int
    offset: int
    after: str

    @classmethod
    def of(cls, request: Request) -> RequestQuery:
        given = request.query_params
        if unknown := sorted(set(given) - KNOWN):
            raise ValidationError({name: [f"is not a filter. Known: {', '.join(sorted(KNOWN))}."] for name in unknown})
        if repeated := [name for name in given if len(given.getlist(name)) > 1]:
            raise ValidationError({name: ["can be given only once"] for name in repeated})
        sort, after = one_of(request, "sort", ("newest", "expires", "risk")), given.get("after", "")
        if after and not within(ORDERS[sort], "", after):
            raise ValidationError({"after": ["must be the `next` of a page with the same sort"]})
        if after and "offset" in given:
            raise ValidationError({"offset": ["cannot be given together with after"]})
        form = RequestFilterForm({name: given[name] for name in FILTERS if name in given}, tab="all")
        if not form.is_valid():
            raise ValidationError({name: [str(one) for one in problems] for name, problems in form.errors.items()})
        limit, offset = whole_number(request, "limit", 50, 1, 200), whole_number(request, "offset", 0, 0, 1_000_000)
        return cls(one_of(request, "which", WHICH), form.wanted(), sort, limit, offset, after)
