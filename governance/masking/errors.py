"""The refusal that masking ends in where it cannot be certain. Pure."""

from __future__ import annotations

from governance.errors import Denied


class MaskingImpossible(Denied):
    """The statement cannot be masked with certainty, so it does not run."""

    code = "masking-impossible"
    title = "Sensitive columns cannot be masked in this statement"
