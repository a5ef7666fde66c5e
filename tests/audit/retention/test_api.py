"""Erasure and archives over REST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit import ledger
from audit.models import Archive, Entry, Payload
from audit.retention import tasks
from identity.credentials import issue
from identity.models import User
from tests.api.conftest import Caller
from tests.audit.retention.filling import archive_all, fill
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("control_db")
ERASURE = {"subject": "agent:a", "reason": "they asked"}


def caller(user: User) -> Caller:
    return Caller(issue(user, issued_by="test").token, "")


@pytest.fixture
def admin() -> Caller:
    return caller(make_user("root", is_administrator=True))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    def note(name: str, args: list[str], **_: object) -> None:
        found.append((name, *args))

    monkeypatch.setattr("gateway.api.retention_views.current_app.send_task", note)
    return found


def test_an_administrator_erases_and_everybody_who_audits_sees_it(admin: Caller):
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    answer = admin.post("audit/erasures", ERASURE)
    assert answer.status_code == 201
    assert (answer.json()["subject"], answer.json()["payloads"]) == ("agent:a", 1)
    assert Entry.objects.get(index=answer.json()["entry"]).fields["actor"] == "user:root"
    assert not Payload.objects.exists()
    olaf = caller(make_user("olaf", "auditors"))
    [seen] = [one for one in olaf.get("audit/erasures").json()["results"] if one["subject"] == "agent:a"]
    assert seen["erased_at"]
    assert not seen["unfinished"]


def test_an_unknown_subject_is_404(admin: Caller):
    answer = admin.post("audit/erasures", ERASURE)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-subject")


@pytest.mark.parametrize("body", [{"subject": "agent:a"}, {**ERASURE, "reason": ""}, {**ERASURE, "more": 1}, []])
def test_an_erasure_without_all_that_it_needs_is_refused(admin: Caller, body: Any):
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    assert admin.post("audit/erasures", body).status_code == 400
    assert Payload.objects.exists()


@pytest.mark.parametrize(("groups", "may_read"), [((), False), (("auditors",), True), (("dba",), False)])
def test_nobody_else_erases_or_archives(asked: list[Any], groups: tuple[str, ...], may_read: bool):
    ledger.append("statement.denied", principal="agent:a", payload={"a": 1})
    person = caller(make_user("someone", *groups))
    assert person.post("audit/erasures", ERASURE).status_code == 403
    assert person.post("audit/archives", {"before": "2026-01-01T00:00:00Z"}).status_code == 403
    assert person.get("audit/erasures").status_code == (200 if may_read else 403)
    assert person.get("audit/archives").status_code == (200 if may_read else 403)
    assert Payload.objects.exists()
    assert asked == []


def test_archives_are_listed(admin: Caller, tmp_path: Path):
    fill(300)
    [moved], _ = archive_all(tmp_path)
    found = admin.get("audit/archives").json()
    assert [(one["first"], one["end"], one["sha256"]) for one in found["results"]] == [(0, 256, moved.sha256)]
    assert (found["first"], found["retention_days"], found["overdue"]) == (256, None, False)


def test_a_worker_is_asked_to_archive(admin: Caller, asked: list[Any]):
    assert admin.post("audit/archives", {"before": "2026-01-01T00:00:00Z"}).status_code == 202
    assert asked == [("audit.archive", "2026-01-01T00:00:00+00:00", "user:root")]


def test_that_archiving_was_asked_for_is_an_entry(admin: Caller, asked: list[Any], settings):
    answer = admin.post("audit/archives", {"before": "2026-01-01T00:00:00Z"}).json()
    entry = Entry.objects.get(kind="archive.requested")
    assert answer["entry"] == entry.index
    assert (entry.fields["actor"], entry.fields["before"]) == ("user:root", "2026-01-01T00:00:00+00:00")
    assert entry.fields["address"] == settings.ARCHIVES


def test_what_was_refused_or_wrong_leaves_no_entry_of_archiving(admin: Caller, asked: list[Any]):
    admin.post("audit/archives", {"before": "soon"})
    caller(make_user("someone")).post("audit/archives", {"before": "2026-01-01T00:00:00Z"})
    assert not Entry.objects.filter(kind="archive.requested").exists()


def test_nothing_is_archived_where_that_it_was_asked_for_cannot_be_recorded(
    admin: Caller, asked: list[Any], monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("the ledger does not answer")

    monkeypatch.setattr("gateway.api.retention_views.ledger.append", refuse)
    assert admin.post("audit/archives", {"before": "2026-01-01T00:00:00Z"}).status_code == 503
    assert asked == []


def test_the_future_is_not_archived(admin: Caller, asked: list[Any]):
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert admin.post("audit/archives", {"before": later}).status_code == 400
    assert asked == []


# --- The worker ---------------------------------------------------------------------------------------------------


@pytest.fixture
def in_days(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def move(days: int) -> None:
        at = datetime.now(UTC) + timedelta(days=days)
        for module in ("tasks", "archives"):
            monkeypatch.setattr(f"audit.retention.{module}.timezone.now", lambda: at)

    return move


def test_the_worker_archives_what_was_asked_for(settings, tmp_path: Path):
    settings.ARCHIVES = str(tmp_path)
    fill(300)
    tasks.archive_before((datetime.now(UTC) + timedelta(seconds=1)).isoformat(), "user:root")
    assert Archive.objects.get().address.startswith(str(tmp_path))


def test_retention_moves_what_became_too_old(settings, tmp_path: Path, in_days: Callable[[int], None]):
    settings.ARCHIVES, settings.RETENTION_DAYS = str(tmp_path), 30
    fill(300)
    tasks.keep_retention()
    assert not Archive.objects.exists()
    in_days(31)
    tasks.keep_retention()
    assert Archive.objects.get().end == 256
    assert Entry.objects.get(kind="ledger.pruned").fields["reason"] == "retention of 30 days"


def test_retention_that_is_off_moves_nothing(settings, tmp_path: Path, in_days: Callable[[int], None]):
    settings.ARCHIVES, settings.RETENTION_DAYS = str(tmp_path), 0
    fill(300)
    in_days(10_000)
    tasks.keep_retention()
    assert not Archive.objects.exists()


def test_retention_that_does_not_keep_up_is_told(admin: Caller, settings, in_days: Callable[[int], None]):
    settings.RETENTION_DAYS = 30
    fill(2)
    assert not admin.get("audit/archives").json()["overdue"]
    in_days(40)
    from audit.retention.archives import standing

    assert standing().overdue
