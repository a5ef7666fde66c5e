"""Erasing a subject: its content is gone from everywhere, for good, and nothing else has changed."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from approvals.models import Request
from audit import ledger
from audit.merkle import leaf_hash
from audit.models import Entry, Payload, SubjectKey
from audit.payloads import ErasedError, payload_digest
from audit.reading import entries_between, entry_at, payload_of
from audit.retention import erasure
from audit.retention.erasure import NothingToErase, delete_payloads, destroy, erase, retire, subjects, sweep_erased
from audit.retention.signals import subject_erased
from gateway.drivers import DRIVERS
from gateway.models import Result
from gateway.pipeline import submit
from governance.errors import GatewayError
from governance.policy import store
from governance.policy.replaying import Wanted, replay
from identity.sealing import UnsealError, unseal
from tests.audit.retention.filling import archive_all, fill
from tests.factories import SHOP, Cast, make_cast
from tests.fixtures.databases import MakeTarget

pytestmark = pytest.mark.usefixtures("control_db")
SECRET = "Sesame-4711"


def record(principal: str = "agent:a", **more: Any) -> int:
    payload = {"sql": f"SELECT '{SECRET}'"}
    return ledger.append("statement.denied", principal=principal, payload=payload, **more).index


def content(index: int) -> dict[str, object] | None:
    entry = entry_at(index, with_payload=True)
    assert entry is not None
    return payload_of(entry)


def erase_bot(subject: str = "agent:a") -> erasure.Erasure:
    return erase(subject, actor="user:root", reason="they asked")


# --- What is gone, and what stays ---------------------------------------------------------------------------------


def test_the_content_is_gone_and_the_page_says_when():
    index = record()
    erase_bot()
    with pytest.raises(ErasedError, match="The content was erased on"):
        content(index)
    assert not Payload.objects.exists()
    assert SubjectKey.objects.get().sealed is None


def test_it_is_an_entry_that_names_whose_who_and_why_and_no_content():
    first, last = record(), record()
    erased = erase_bot()
    said = Entry.objects.get(index=erased.entry or -1).fields
    key = str(SubjectKey.objects.get().id)
    expected = {"subject": "agent:a", "actor": "user:root", "reason": "they asked", "keys": [key], "payloads": 2}
    assert said.items() >= {**expected, "first": first, "last": last}.items()


def test_every_hash_stays():
    record()
    before = [(entry.header, entry.leaf) for entry in entries_between(0, 1)]
    erase_bot()
    assert [(entry.header, entry.leaf) for entry in entries_between(0, 1)] == before
    assert all(leaf_hash(header) == leaf for header, leaf in before)


def test_nobody_else_is_touched():
    mine, other, about_me = record(), record("agent:b"), record("agent:a", on_behalf_of="customer:7")
    erase_bot()
    assert content(other) == content(about_me) == {"sql": f"SELECT '{SECRET}'"}
    with pytest.raises(ErasedError):
        content(mine)


def test_whoever_agents_act_on_behalf_of_is_a_subject():
    mine, about = record(), record("agent:a", on_behalf_of="customer:7")
    erase_bot("customer:7")
    assert content(mine) is not None
    with pytest.raises(ErasedError):
        content(about)


def test_what_comes_after_is_kept_under_a_new_key_and_can_be_erased_again():
    record()
    erase_bot()
    later = record()
    assert content(later) is not None
    assert erase_bot().payloads == 1
    with pytest.raises(ErasedError):
        content(later)


def test_content_in_archives_does_not_open_any_more(tmp_path: Path):
    fill(256)
    archive_all(tmp_path)
    assert content(0) is not None
    erase_bot("agent:bot-0")
    assert entry_at(0, with_payload=True).payload is not None  # type: ignore[union-attr]
    with pytest.raises(ErasedError):
        content(0)
    assert content(2) is not None


def test_entries_of_an_erased_subject_can_be_archived(tmp_path: Path):
    fill(256)
    erase_bot("agent:bot-0")
    archive_all(tmp_path)
    with pytest.raises(ErasedError):
        content(0)


def test_an_unknown_subject_is_told():
    with pytest.raises(NothingToErase, match="no key of 'agent:nobody'"):
        erase_bot("agent:nobody")


# --- Interrupted --------------------------------------------------------------------------------------------------


def test_what_stopped_before_the_key_was_destroyed_lost_nothing_and_is_begun_again():
    index = record()
    retire("agent:a")
    assert content(index) is not None
    assert [(one.subject, one.unfinished) for one in subjects()] == [("agent:a", True)]
    assert erase_bot().payloads == 1
    assert not subjects()[0].unfinished


def test_what_stopped_before_the_payloads_were_deleted_is_unreadable_already_and_finished_by_calling_again():
    index = record()
    retire("agent:a")
    assert destroy("agent:a", actor="user:root", reason="x")
    with pytest.raises(ErasedError):
        content(index)
    assert Payload.objects.count() == 1
    again = erase_bot()
    assert (again.entry, again.payloads) == (None, 1)
    assert not Payload.objects.exists()
    assert Entry.objects.filter(kind="subject.erased").count() == 1


def test_payloads_that_come_late_are_swept():
    record()
    erase_bot()
    late = Payload(index=0, key=SubjectKey.objects.get().id, nonce=b"n", ciphertext=b"c")
    late.save(force_insert=True)
    assert sweep_erased() == 1
    assert not Payload.objects.exists()


def test_nothing_is_destroyed_when_a_part_above_cannot_empty_what_it_keeps():
    index = record()

    def fail(**_: object) -> None:
        raise OSError("no space left")

    subject_erased.connect(fail)
    try:
        with pytest.raises(OSError, match="no space"):
            erase_bot()
    finally:
        subject_erased.disconnect(fail)
    assert content(index) is not None
    assert not Entry.objects.filter(kind="subject.erased").exists()


def test_nothing_is_destroyed_when_the_ledger_cannot_say_so(monkeypatch: pytest.MonkeyPatch):
    index = record()

    def refuse(*_: object, **__: object) -> None:
        raise ledger.LedgerUnavailable("down")

    monkeypatch.setattr("audit.retention.erasure.ledger.append_within", refuse)
    with pytest.raises(ledger.LedgerUnavailable):
        erase_bot()
    assert content(index) is not None


def test_payloads_whose_key_is_not_destroyed_stay():
    index = record()
    assert delete_payloads([SubjectKey.objects.get().id]) == 0
    assert content(index) is not None


# --- Everything that the database holds ---------------------------------------------------------------------------


@pytest.fixture
def cast(target_database: MakeTarget) -> Iterator[Cast]:
    yield make_cast(target_database(SHOP).dsn)
    for driver in DRIVERS.values():
        driver.close()


def test_the_content_of_statements_is_nowhere_in_the_database_afterwards(cast: Cast):
    submit(cast.submission(f"SELECT '{SECRET}' AS a, $1::text AS b", params=(SECRET,)))
    submit(cast.submission(f"UPDATE orders SET status = '{SECRET}' WHERE id = 4"))
    for refused in (f"SELEC '{SECRET}'", f"SELECT '{SECRET}'::integer", f"DROP TABLE orders -- {SECRET}"):
        with pytest.raises(GatewayError):
            submit(cast.submission(refused))
    assert found_in() >= {"audit_payload", "gateway_query", "gateway_result"}
    erase(cast.submission("SELECT 1").principal.label, actor="user:root", reason="they asked")
    assert found_in() == set()


def test_a_replay_passes_over_what_was_erased_and_says_when(cast: Cast):
    submit(cast.submission("SELECT 1"))
    erase(cast.submission("SELECT 1").principal.label, actor="user:root", reason="they asked")
    [unreplayed] = replay(store.active(), Wanted()).unreplayed
    assert (unreplayed.count, unreplayed.reason[:27]) == (1, "The content was erased on 2")


def test_work_that_has_not_ended_keeps_its_text(cast: Cast):
    parked = submit(cast.submission("DELETE FROM orders")).query
    ended = submit(cast.submission("SELECT 1")).query
    erase(cast.submission("SELECT 1").principal.label, actor="user:root", reason="they asked")
    parked.refresh_from_db()
    ended.refresh_from_db()
    assert parked.sql == "DELETE FROM orders"
    assert Request.objects.get().sql == "DELETE FROM orders"
    assert ended.sql.startswith("-- erased on ")
    assert not Result.objects.filter(query=ended).exists()


def test_a_finished_request_is_emptied(cast: Cast):
    submit(cast.submission("DELETE FROM orders"))
    Request.objects.update(state="failed", outcome={"problem": {"code": "x", "detail": SECRET}})
    erase(cast.submission("SELECT 1").principal.label, actor="user:root", reason="they asked")
    request = Request.objects.get()
    assert request.sql.startswith("-- erased on ")
    assert (request.outcome or {})["problem"]["code"] == "erased"
    assert request.facts["normal"] == ""
    assert request.facts["relations"]


def found_in() -> set[str]:
    """The tables that hold the secret: in plain, or sealed with a key that still opens it."""
    found = set()
    for table, row in _rows():
        if any(SECRET.encode() in piece for value in row for piece in _readable(table, value, row)):
            found.add(table)
    return found


def _rows() -> Iterator[tuple[str, tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            yield from ((table, row) for row in cursor.fetchall())


def _readable(table: str, value: Any, row: tuple[Any, ...]) -> Iterator[bytes]:
    yield str(value).encode()
    if not isinstance(value, bytes | memoryview):
        return
    yield bytes(value)
    for purpose in ("gateway.query.sql", "gateway.query.params", "gateway.result.content", "approvals.request.sql",
                    "approvals.request.params"):  # fmt: skip
        try:
            yield unseal(bytes(value), purpose)
        except UnsealError:
            continue
    if table == "audit_payload":
        entry = entry_at(row[0], with_payload=True)
        assert entry is not None
        yield str(payload_of(entry)).encode()


# --- The command --------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ledger", "erase", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_erases_and_says_what():
    record()
    assert run("agent:a", "--reason", "they asked", "--yes") == "Erased agent:a: 1 payloads, 1 keys. Entry 1.\n"
    assert run("--list").startswith("agent:a  since ")
    assert "erased " in run("--list")


def test_the_command_asks_first(monkeypatch: pytest.MonkeyPatch):
    index = record()
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    with pytest.raises(CommandError, match="Not erased"):
        run("agent:a", "--reason", "they asked")
    assert content(index) is not None
    monkeypatch.setattr("builtins.input", lambda _: "agent:a")
    assert "Erased" in run("agent:a", "--reason", "they asked")


def test_the_command_wants_a_reason():
    with pytest.raises(CommandError, match="--reason"):
        run("agent:a", "--yes")


def test_the_list_fails_while_an_erasure_is_unfinished():
    record()
    retire("agent:a")
    with pytest.raises(CommandError, match="interrupted"):
        run("--list")


def test_a_digest_still_covers_what_another_holds_of_it():
    """Whoever kept a copy of the ciphertext can show that it is what was recorded; nobody can open it."""
    index = record()
    kept = entry_at(index, with_payload=True)
    assert kept is not None
    assert kept.payload is not None
    erase_bot()
    assert payload_digest(kept.payload.nonce, kept.payload.ciphertext) == kept.fields["payload_digest"]
    with pytest.raises(ErasedError):
        payload_of(kept)
    assert UUID(kept.fields["payload_key"]) == kept.payload.key
