"""Who may see what the ledger keeps beside headers: payloads, witnesses, forwarders, archives."""

from __future__ import annotations

from identity.principals import Principal

AUDITORS = "auditors"


def may_audit(principal: Principal) -> bool:
    return principal.is_person and (principal.is_administrator or AUDITORS in principal.groups)
