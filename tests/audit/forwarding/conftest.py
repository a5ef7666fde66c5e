"""A log to forward, and a folder to forward it into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import LazySettings

from audit import ledger
from audit.models import Head
from audit.transparency import keys
from tests.audit.forwarding.receivers import Authority, Syslog, Webhook, syslog_server, webhook_server

Grow = Callable[..., int]


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.FORWARD_DIR = tmp_path / "forward"
    return tmp_path / "forward"


@pytest.fixture
def grow(control_db: str) -> Grow:
    """`grow(3)` appends three entries; gives the size of the log."""
    keys.current_key()

    def append(count: int = 1, filling: str = 'ünïcode ] " \\') -> int:
        def one(number: int) -> None:
            ledger.append("statement.denied", principal=f"agent:bot-{number}", verdict="deny", sql_normal=filling)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(one, range(count)))
        return size()

    return append


def size() -> int:
    return int(Head.objects.get(id=1).size)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook_server() as server:
        yield server


@pytest.fixture
def syslog() -> Iterator[Syslog]:
    with syslog_server() as server:
        yield server
