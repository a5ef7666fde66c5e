"""What those who approved agreed to: the narrowest of what each was willing to give."""

from __future__ import annotations

from collections.abc import Iterable

from approvals.models import Request, Review, Verdict


def agreed_row_bound(request: Request, measured: int | None) -> int | None:
    """How many rows it may change. Who gave no bound agreed to the measured one; None: nobody has said, and nothing was
    measured."""
    given = [measured if one.row_bound is None else one.row_bound for one in _approvals(request)] or [measured]
    return min((bound for bound in given if bound is not None), default=None)


def agreed_grant(request: Request) -> dict[str, int] | None:
    """`{runs, seconds}` where everybody who approved gave more than one run; else None."""
    given = [one.grant for one in _approvals(request)]
    if not given or any(grant is None for grant in given):
        return None
    found = [grant for grant in given if grant]
    return {name: min(grant[name] for grant in found) for name in ("runs", "seconds")}


def _approvals(request: Request) -> Iterable[Review]:
    return Review.objects.filter(request=request, revision=request.revision, verdict=Verdict.APPROVE)
