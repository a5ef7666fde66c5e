"""The row of links over the ledger's pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from audit.auditors import may_audit
from identity.viewer import viewer

register = template.Library()

# Each page, and whether it is for auditors and administrators only.
PAGES = (
    ("ledger", "Entries", False),
    ("ledger-reports", "Reports", True),
    ("exports", "Exports", True),
    ("integrity", "Integrity", True),
    ("forwarders", "Forwarders", True),
)


@register.inclusion_tag("audit/_tabs.html", takes_context=True)
def ledger_tabs(context: dict[str, Any], current: str) -> dict[str, object]:
    """`current` is the page that is open, by the name of its address."""
    audits = may_audit(viewer(context["request"]))
    pages = [
        (name, label, place) for name, label, guarded in PAGES if (audits or not guarded) and (place := _place_of(name))
    ]
    return {"pages": pages if len(pages) > 1 else [], "current": current}


def _place_of(name: str) -> str:
    """Empty for a page that this installation does not serve."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
