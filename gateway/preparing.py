"""Right before what people approved runs, by a worker or by the session that asked: is it still that, and how large is it?"""

from __future__ import annotations

import uuid

from approvals.models import Request
from gateway import impact
from gateway.drifting import Finding, growth, look_again
from gateway.models import Query
from identity.principals import Principal


def query_of(request_id: uuid.UUID) -> Query | None:
    """With all that the steps to come need."""
    related = ("request__datasource", "request__owner", "request__agent__owner", "datasource", "agent__owner", "user")
    return Query.objects.select_related(*related).filter(request_id=request_id).first()


def prepare(principal: Principal, query: Query, request: Request) -> Finding:
    """Assessed again, and bound to as many rows as it would change as of now, if nobody measured that before."""
    finding = look_again(principal, query, request)
    if finding.drift or finding.assessment is None or finding.assessment.facts.reads_only:
        return finding
    impact.ensure_measured(request)
    request.refresh_from_db(fields=["row_bound"])
    if request.row_bound is None:
        return Finding(finding.assessment, growth(query, request, finding.assessment))
    return finding
