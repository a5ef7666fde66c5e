"""Standing permissions, for every door: find, give, use, cut down, end."""

from __future__ import annotations

from approvals.grants.elevation import Elevated, request_elevation
from approvals.grants.emergency import break_glass
from approvals.grants.ending import close_ended, narrow, remind_of_glass, revoke
from approvals.grants.finding import (
    Status,
    approvers_of,
    fetch_grant_for,
    may_cut,
    may_end,
    standing,
    status_of,
    tells_of_masked_values,
    visible_to,
)
from approvals.grants.giving import give_elevation, give_statement
from approvals.grants.holding import elevated, revoked_among
from approvals.grants.using import bound_of, broken_glass, claim, covering, open_bound_of

__all__ = [
    "Elevated",
    "Status",
    "approvers_of",
    "bound_of",
    "break_glass",
    "broken_glass",
    "claim",
    "close_ended",
    "covering",
    "elevated",
    "fetch_grant_for",
    "give_elevation",
    "give_statement",
    "may_cut",
    "may_end",
    "narrow",
    "open_bound_of",
    "remind_of_glass",
    "request_elevation",
    "revoke",
    "revoked_among",
    "standing",
    "status_of",
    "tells_of_masked_values",
    "visible_to",
]
