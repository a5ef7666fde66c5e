"""A decision as a value. It always names the policies that made it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """In order of strictness."""

    ALLOW = "allow"
    REVIEW = "review"
    DENY = "deny"


@dataclass(frozen=True, slots=True, order=True)
class RequiredReview:
    """`quorum` distinct people of `group` must approve."""

    group: str
    quorum: int


@dataclass(frozen=True, slots=True, order=True)
class MaskedColumn:
    """A column that this principal may not see, and the mask that stands in its place (governance/masking/masks/)."""

    schema: str
    relation: str
    column: str
    data_class: str
    mask: str
    # A place inside a JSON column (`$.a.b[*].c`), or empty for the whole column.
    path: str = ""


@dataclass(frozen=True, slots=True, order=True)
class RowFilter:
    """Only rows of the relation for which `condition` holds are there for this principal. `policy` is who says so.

    `condition` is a SQL expression over the relation's own columns, named without a qualifier.
    """

    schema: str
    relation: str
    condition: str
    policy: str


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must be true of the run. `max_rows` None: the data source's own limit."""

    masks: tuple[MaskedColumn, ...] = ()
    row_filters: tuple[RowFilter, ...] = ()
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`policies` are the ids that decided (never empty); `expires_in` seconds bounds a review; `set_version` is the
    version of the policy set."""

    verdict: Verdict
    policies: tuple[str, ...]
    message: str
    remedy: str = ""
    required: tuple[RequiredReview, ...] = ()
    expires_in: int = 4 * 3600
    obligations: Obligations = Obligations()
    set_version: int = 0
