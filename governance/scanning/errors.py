"""What can be wrong with a scan or with a decision about what it proposed."""

from __future__ import annotations

from governance.errors import GatewayError


class ScanRefused(GatewayError):
    """Another scan is under way, or there is nothing to scan. Nothing was changed."""

    code = "scan-refused"
    title = "The data source cannot be scanned now"
    status = 409


class ProposalGone(GatewayError):
    """Somebody has decided it meanwhile, or a later scan found otherwise. Nothing was changed."""

    code = "proposal-gone"
    title = "There is no such open proposal"
    status = 409
