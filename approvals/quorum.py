"""Whether the approvals suffice: the same rule for statements as for policy sets. Pure."""

from governance.policy.quorum import missing

__all__ = ["missing"]
