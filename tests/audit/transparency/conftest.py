"""A log, and somebody who can change its tables behind its back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from audit import ledger

Grow = Callable[..., int]
Tamper = Callable[..., Any]


@pytest.fixture
def grow(control_db: str) -> Grow:
    """`grow(3)` appends three entries; gives the size of the log."""

    def append(count: int = 1, what: str = "bot") -> int:
        receipts = [ledger.append("statement.denied", principal=f"agent:{what}-{number}") for number in range(count)]
        return receipts[-1].index + 1

    return append


@pytest.fixture
def tamper(control_db: str) -> Iterator[Tamper]:
    """A session that the triggers do not stop: an administrator who covers something up."""
    with psycopg.connect(control_db, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield session.execute
