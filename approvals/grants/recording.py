"""What the ledger is told of grants, within the caller's transaction, and who listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.grants.finding import tells_of_masked_values
from approvals.models import Grant
from approvals.signals import grant_moved
from audit import ledger
from audit.events import clean_text

LONGEST_NORMAL = 2000


def record(grant: Grant, kind: str, event: str, payload: Mapping[str, object] | None = None, /, **fields: Any) -> None:
    """Tells those who listen, then the ledger: nothing may follow an entry in its transaction (audit/ledger.py)."""
    grant_moved.send(Grant, grant=grant, event=event)
    ledger.append_within(
        kind,
        payload=payload,
        grant=str(grant.pk),
        principal=grant.principal,
        owner=grant.owner.username,
        datasource=grant.datasource.name,
        environment=grant.datasource.environment,
        sort=grant.kind,
        request=str(grant.request_id) if grant.request_id else None,
        group=grant.group or None,
        uses=grant.uses,
        max_uses=grant.max_uses,
        row_bound=None if tells_of_masked_values(grant) else grant.row_bound,
        expires_at=grant.expires_at.isoformat(),
        fingerprint=grant.fingerprint or None,
        **fields,
    )


def sealed(**texts: str) -> dict[str, object] | None:
    """What people write can quote data: it is sealed."""
    return {name: text for name, text in texts.items() if text} or None


def normal_field(normal: str) -> str | None:
    return clean_text(normal, LONGEST_NORMAL) or None
