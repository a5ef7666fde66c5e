"""Exports in a folder of the test's own, by people whom policy permits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from audit import ledger
from audit.exports import making, service
from audit.exports.reading import Wanted
from audit.models import Export
from governance.policy import store
from identity.principals import Principal, principal_of_user
from tests.factories import make_user


@pytest.fixture(autouse=True)
def exports_folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.EXPORTS_DIR = tmp_path / "exports"
    return tmp_path / "exports"


@pytest.fixture
def olaf(control_db: str) -> Principal:
    store.ensure_default(actor="test")
    return principal_of_user(make_user("olaf", "auditors"))


@pytest.fixture
def root(control_db: str) -> Principal:
    store.ensure_default(actor="test")
    return principal_of_user(make_user("root", is_administrator=True))


def record(count: int = 1, **fields: Any) -> list[int]:
    asked: dict[str, Any] = {"principal": "agent:bot", "datasource": "shop", **fields}
    return [ledger.append("statement.denied", **asked).index for _ in range(count)]


def ask(principal: Principal | None, form: str = "ndjson", **more: Any) -> Export:
    """Recorded, with no worker told."""
    return service.ask(principal, Wanted(form, **more), door="rest", publish=False)


def made(principal: Principal | None, form: str = "ndjson", **more: Any) -> tuple[Export, bytes]:
    export = ask(principal, form, **more)
    making.make(export.pk)
    export.refresh_from_db()
    assert (export.state, export.problem) == ("done", "")
    return export, service.open_download(principal, export, door="rest").path.read_bytes()


@pytest.fixture(autouse=True)
def _nobody_works(nobody_works: None) -> None:
    """Tests here make the files themselves."""
