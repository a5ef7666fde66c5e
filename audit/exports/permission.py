"""Who may export. The ledger does not decide that: whoever governs registers here. Nobody registered means refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from identity.principals import Principal


class Undecided(Exception):
    """There is nothing to decide by at the moment. The message says why and what to do; nothing is exported."""


@dataclass(frozen=True, slots=True)
class Permission:
    """`policies` decided; `most_rows` None: as many as there are."""

    is_allowed: bool
    policies: tuple[str, ...]
    message: str
    remedy: str = ""
    most_rows: int | None = None


Decide = Callable[[Principal, str], Permission]

_NOBODY = Permission(False, ("nobody-decides",), "Nothing decides who may export, so nobody may.")
_decide: Decide | None = None


def decide_by(decide: Decide) -> None:
    global _decide
    _decide = decide


def may_export(principal: Principal, door: str) -> Permission:
    """Asked anew each time, for each download too. Raises `Undecided`."""
    return _decide(principal, door) if _decide else _NOBODY
