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
    """`quorum` distinct people of `group` must approve, once all of the stages with a lower number have.

    `escalate_after` seconds without them, members of `escalate_to` may stand in; empty: nobody may.
    """

    group: str
    quorum: int
    stage: int = 1
    escalate_to: str = ""
    escalate_after: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What else a review is bound to. `step_up`: whoever approves has shown a second factor within as many seconds; 0: need
    not. `windows`: it runs only while all of these are open (governance/policy/windows.py). `grantable`: for how many seconds
    at most a review may give more than one run; 0: not at all. `remind_after` seconds those who have not decided are
    told again; 0: never. `holds_locks`: a session may wait for the review although its transaction holds locks.
    """

    step_up: int = 0
    windows: tuple[str, ...] = ()
    grantable: int = 0
    remind_after: int = 0
    holds_locks: bool = False


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
    terms: Terms = Terms()
    obligations: Obligations = Obligations()
    set_version: int = 0
