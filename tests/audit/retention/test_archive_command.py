"""`manage.py ledger archive`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit import ledger
from audit.commands.archive import moment
from audit.models import Archive, Entry
from tests.audit.retention.filling import fill

pytestmark = pytest.mark.usefixtures("control_db")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ledger", "archive", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def store(settings, tmp_path: Path) -> Path:
    settings.ARCHIVES = str(tmp_path / "set")
    return tmp_path


def test_entries_move_to_the_place_that_is_set_and_the_list_shows_it(store: Path):
    fill(300)
    said = run("--before", "0d")
    moved = Archive.objects.get()
    assert said.startswith(f"Moved entries 0 to 255 to {store / 'set'}/entries-")
    assert f"SHA-256 {moved.sha256}, entry 300 says so" in said
    listed = run("--list")
    assert f"0-255  {moved.since:%Y-%m-%d} to " in listed
    assert "In the database: entries from 256 on" in listed
    assert "Retention is off" in listed


def test_another_place_is_taken_where_it_is_given(store: Path):
    fill(256)
    run("--before", "0d", "--to", str(store / "given"))
    assert Archive.objects.get().address.startswith(str(store / "given"))


def test_it_says_when_nothing_is_old_enough_and_what_holds_the_rest(store: Path):
    ledger.append("request.created", request="00000000-0000-0000-0000-000000000001")
    fill(300)
    said = run("--before", "0d")
    assert "Nothing was moved" in said
    assert "Entries from 0 on stay: entry 0 is a request that is still open." in said


def test_a_place_that_cannot_be_used_ends_with_why(store: Path):
    fill(256)
    with pytest.raises(CommandError, match="holds credentials"):
        run("--before", "0d", "--to", "s3://me:secret@bucket")


def test_the_list_fails_while_retention_is_overdue(store: Path, settings, monkeypatch: pytest.MonkeyPatch):
    settings.RETENTION_DAYS = 30
    fill(2)
    assert "Entries move after 30 days" in run("--list")
    later = timezone.now() + timedelta(days=40)
    monkeypatch.setattr("audit.retention.archives.timezone.now", lambda: later)
    with pytest.raises(CommandError, match="OVERDUE"):
        run("--list")


@pytest.mark.parametrize(
    ("kind", "fields", "what"),
    [
        ("request.created", {"request": str(UUID(int=1))}, "a request that is still open"),
        ("statement.intent", {"query": str(UUID(int=1000)), "datasource": "shop"}, "an intent without an outcome"),
    ],
)
def test_the_list_says_what_holds_retention_up(
    store: Path, settings, monkeypatch: pytest.MonkeyPatch, kind: str, fields: dict[str, Any], what: str
):
    settings.RETENTION_DAYS = 30
    fill(4)
    ledger.append(kind, principal="agent:a", **fields)
    fill(4)
    assert "held up" not in run("--list")
    later = timezone.now() + timedelta(days=31)
    monkeypatch.setattr("audit.retention.archives.timezone.now", lambda: later)
    since = Entry.objects.get(index=4).time
    said = run("--list")
    assert f"Retention is held up: entry 4 is {what}" in said
    assert f"since {since:%Y-%m-%d %H:%M} UTC" in said


def test_moments_are_days_or_dates():
    assert abs(moment("90d") - (timezone.now() - timedelta(days=90))) < timedelta(minutes=1)
    assert moment("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert moment("2026-01-31T12:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "-1d", "2999-01-01", ""])
def test_what_is_no_moment_of_the_past_is_refused(text: str):
    with pytest.raises(ArgumentTypeError):
        moment(text)


@pytest.mark.parametrize("address", ["http://store.example/x", "s3://[", "s3://key:secret@bucket/x", "zz://x"])
def test_a_place_that_cannot_be_used_is_told_though_nothing_is_to_be_moved(store: Path, address: str):
    with pytest.raises(CommandError) as refused:
        run("--before", "2020-01-01", "--to", address)
    assert "secret" not in str(refused.value).partition("environment")[0]
