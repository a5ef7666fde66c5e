"""Right before what people approved runs, by a worker or by the session that asked: is it still that, and how large is it?"""

from __future__ import annotations

import uuid

from approvals.models import Impact, Request
from gateway import impact
from gateway.drifting import Finding, growth, look_again
from gateway.models import Query
from governance.analysis.facts import Facts, Kind, Use
from identity.principals import Principal

# With these the rows that the statement itself changes are not all that it changes.
CARRIES = frozenset({"cascade", "fires-trigger", "opaque-trigger", "side-effects", "dynamic-sql"})


def query_of(request_id: uuid.UUID) -> Query | None:
    """With all that the steps to come need."""
    related = ("request__datasource", "request__owner", "request__agent__owner", "datasource", "agent__owner", "user")
    return Query.objects.select_related(*related).filter(request_id=request_id).first()


def prepare(principal: Principal, query: Query, request: Request) -> Finding:
    """Assessed again, and bound to as many rows as it would change as of now, if nobody measured that before."""
    finding = look_again(principal, query, request)
    if finding.drift or finding.assessment is None or finding.assessment.facts.reads_only:
        return finding
    before = _measured(request)
    impact.ensure_measured(request)
    request.refresh_from_db(fields=["row_bound"])
    if (after := _measured(request)) != before:
        # That took a while, in which things can change.
        finding = look_again(principal, query, request, note_unchanged=False)
    if finding.drift or finding.assessment is None:
        return finding
    if not _bounded(request, finding.assessment.facts, is_measured=after is not None):
        return Finding(finding.assessment, growth(query, request, finding.assessment))
    return finding


def _measured(request: Request) -> object:
    found = Impact.objects.filter(request=request, state=Impact.State.MEASURED, rows__isnull=False)
    return found.values_list("measured_at", flat=True).first()


def _bounded(request: Request, facts: Facts, *, is_measured: bool) -> bool:
    """Whether a bound on rows bounds all that it does: nobody counts the rows of what is emptied, or defined anew."""
    whole = any(use.use is Use.TRUNCATE for use in facts.relations) or Kind.DDL in facts.kinds
    return request.row_bound is not None and not whole and (is_measured or CARRIES.isdisjoint(facts.hazard_codes))
