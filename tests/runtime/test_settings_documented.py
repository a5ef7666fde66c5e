"""`docs/settings.md` lists the variables that the code reads, and no others."""

import re
from collections.abc import Iterator

from tests.fixtures.ground import REPOSITORY

PACKAGES = ("config", "identity", "audit", "governance", "approvals", "gateway", "deploy")
VARIABLE = re.compile(r"[\"'{](COUNTERSIGN_[A-Z_]+|DATABASE_URL|REDIS_URL)[\"':}]")
# Set by the product for its own processes; the attribute of the settings that happens to look like a variable is one.
INTERNAL = {"COUNTERSIGN_DEMO", "COUNTERSIGN_DATABASE_PASSWORD"}


def read_by_the_code() -> set[str]:
    return {name for text in sources() for name in VARIABLE.findall(text)} - INTERNAL


def sources() -> Iterator[str]:
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*"):
            if path.suffix in ("", ".py") and path.is_file():
                yield path.read_text()


def documented() -> set[str]:
    rows = re.findall(r"^\| `([A-Z_]+)`", (REPOSITORY / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
    return set(rows)


def test_every_setting_is_documented() -> None:
    assert read_by_the_code() - documented() == set()


def test_every_documented_setting_exists() -> None:
    assert documented() - read_by_the_code() == set()


def test_every_check_is_explained() -> None:
    ids = set(re.findall(r'id="(countersign\.[EW]\d{3})"', (REPOSITORY / "config" / "checks.py").read_text()))
    explained = re.findall(
        r"^\| `(countersign\.[EW]\d{3})`", (REPOSITORY / "docs" / "settings.md").read_text(), re.MULTILINE
    )
    assert ids == set(explained)
