"""Old entries move to archive files: nothing is lost on the way, and the log is read, proved and opened as before."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pyarrow.parquet as pq
import pytest
from django.db import connection, transaction

from audit import ledger
from audit.merkle import Frontier, root_of
from audit.models import Archive, Entry, Head, Payload, SearchEntry, SearchTerm
from audit.reading import ArchiveUnavailable, entries_between, entry_at, payload_of
from audit.retention import archives
from audit.retention.archive_writing import write_archive
from audit.retention.archives import NotArchived, delete_moved, merged, plan
from audit.search import entries_after, entry_with_payload
from tests.audit.retention.filling import archive_all, fill, fill_and_archive

QUERY, REQUEST = str(UUID(int=2**100)), str(UUID(int=2**101))

pytestmark = pytest.mark.usefixtures("control_db")


def now() -> datetime:
    return datetime.now(UTC)


# --- What is moved ------------------------------------------------------------------------------------------------


def test_whole_tiles_of_old_entries_move_and_the_rest_stays(tmp_path: Path):
    [moved], _ = fill_and_archive(600, tmp_path)
    assert (moved.first, moved.end) == (0, 512)
    assert Head.objects.get().first == 512
    assert list(Entry.objects.values_list("index", flat=True)) == list(range(512, 601))
    assert not Payload.objects.filter(index__lt=512).exists()
    assert not SearchEntry.objects.filter(index__lt=512).exists()
    assert not SearchTerm.objects.filter(index__lt=512).exists()


def test_moving_is_an_entry_that_names_file_and_tree(tmp_path: Path):
    [moved], _ = fill_and_archive(600, tmp_path)
    said = Entry.objects.get(kind="ledger.pruned").fields
    assert said["index"] == moved.entry
    assert (said["first"], said["end"], said["sha256"], said["actor"]) == (0, 512, moved.sha256, "user:root")
    leaves = [entry.leaf for entry in entries_between(0, 512)]
    assert said["peaks"] == [root_of(leaves).hex()]
    assert sha256(Path(moved.address).read_bytes()).hexdigest() == moved.sha256


def test_the_tree_is_whole_afterwards(tmp_path: Path):
    fill(600)
    head = Head.objects.get()
    before = Frontier.from_bytes(head.size, bytes(head.frontier)).root()
    archive_all(tmp_path)
    assert root_of(entry.leaf for entry in entries_between(0, 600)) == before


def test_what_is_younger_than_asked_for_stays(tmp_path: Path):
    fill(300)
    assert plan(now() - timedelta(days=1)).end == 0
    assert archives.archive(now() - timedelta(days=1), actor="user:root", destination=str(tmp_path))[0] == []
    assert list(tmp_path.iterdir()) == []


def test_archiving_goes_on_where_it_ended(tmp_path: Path):
    fill_and_archive(300, tmp_path)
    fill_and_archive(300, tmp_path)
    assert list(Archive.objects.values_list("first", "end")) == [(0, 256), (256, 512)]
    assert [entry.index for entry in entries_between(0, 10_000)] == list(range(Head.objects.get().size))


def test_many_entries_go_to_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MOST_IN_FILE", 256)
    moved, _ = fill_and_archive(800, tmp_path)
    assert [(one.first, one.end) for one in moved] == [(0, 256), (256, 512), (512, 768)]


def test_an_open_intent_keeps_itself_and_all_after_it(tmp_path: Path):
    fill(300)
    opened = ledger.append("statement.intent", principal="agent:a", datasource="shop", query=QUERY)
    fill(512)
    moved, planned = archive_all(tmp_path)
    assert [one.end for one in moved] == [256]
    assert planned.held.startswith(f"entry {opened.index} is an intent without an outcome")


def test_an_open_request_keeps_itself_and_all_after_it(tmp_path: Path):
    fill(256)
    ledger.append("request.created", request=REQUEST)
    ledger.append("execution.finished", request=REQUEST, status="not_executed")
    fill(256)
    assert archive_all(tmp_path)[1].held == "entry 256 is a request that is still open"
    ledger.append("execution.finished", request=REQUEST, status="executed")
    assert [one.end for one in archive_all(tmp_path)[0]] == [512]


# --- Reading ------------------------------------------------------------------------------------------------------


def test_entries_read_the_same_before_and_after(tmp_path: Path):
    fill(600)
    before = list(entries_between(0, 600, with_payloads=True))
    archive_all(tmp_path)
    assert list(entries_between(0, 600, with_payloads=True)) == before


@pytest.mark.parametrize(
    ("first", "end"), [(0, 1), (255, 257), (511, 513), (100, 599), (512, 600), (590, 10_000), (-5, 3)]
)
def test_any_range_is_read_in_order(tmp_path: Path, first: int, end: int):
    fill_and_archive(600, tmp_path)
    found = [entry.index for entry in entries_between(first, end)]
    assert found == list(range(max(first, 0), min(end, 601)))


def test_payloads_of_archived_entries_open(tmp_path: Path):
    fill_and_archive(600, tmp_path)
    entry = entry_at(0, with_payload=True)
    assert entry is not None
    assert payload_of(entry) == {"sql": "SELECT secret-0"}
    other = entry_at(1, with_payload=True)
    assert other is not None
    assert payload_of(other) is None
    assert entry_at(10_000) is None


def test_large_payloads_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    fill(40)
    monkeypatch.setattr("audit.reading.MOST_PAYLOAD_BYTES", 200)
    entries = list(entries_between(0, 40, with_payloads=True))
    assert [entry.index for entry in entries] == list(range(40))
    assert sum(entry.payload is not None for entry in entries) == 20


def test_entries_that_move_while_they_are_read_are_read_from_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("audit.reading.MOST_ROWS", 100)
    fill(600)
    reading = entries_between(0, 600, with_payloads=True)
    found = [next(reading) for _ in range(50)]
    archive_all(tmp_path)
    found += reading
    assert [entry.index for entry in found] == list(range(600))
    assert sum(entry.payload is not None for entry in found) == 300


def test_who_follows_the_log_meets_no_gap_where_entries_were_moved(tmp_path: Path):
    fill_and_archive(600, tmp_path)
    assert [entry.index for entry in entries_after(499, 50)] == list(range(500, 550))
    assert [entry.index for entry in entries_after(-1, 3)] == [0, 1, 2]
    assert [entry.index for entry in entries_after(598, 10)] == [599, 600]
    assert list(entries_after(600, 10)) == []


def test_the_page_of_an_archived_entry_has_its_payload(tmp_path: Path):
    fill_and_archive(300, tmp_path)
    detail = entry_with_payload(0)
    assert detail is not None
    assert detail.payload == {"sql": "SELECT secret-0"}


# --- Files that are not right -------------------------------------------------------------------------------------


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path):
    [moved], _ = fill_and_archive(300, tmp_path)
    Path(moved.address).unlink()
    with pytest.raises(ArchiveUnavailable, match=rf"entries 0 to 255 .*the file is not there.*{moved.sha256}"):
        list(entries_between(0, 300))
    assert [entry.index for entry in entries_between(256, 300)] == list(range(256, 300))


def test_a_file_that_was_cut_is_refused(tmp_path: Path):
    [moved], _ = fill_and_archive(300, tmp_path)
    path = Path(moved.address)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArchiveUnavailable, match="bytes, and had"):
        list(entries_between(0, 300))


def test_no_flipped_byte_goes_unnoticed_or_raises_anything_else(tmp_path: Path):
    [moved], _ = fill_and_archive(300, tmp_path)
    before = list(entries_between(0, 256, with_payloads=True))
    path = Path(moved.address)
    content = path.read_bytes()
    noticed = 0
    for place in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        _forget_contents()
        try:
            assert list(entries_between(0, 256, with_payloads=True)) == before
        except ArchiveUnavailable:
            noticed += 1
    assert noticed > 30


def test_a_file_whose_entry_was_changed_and_rehashed_is_refused(tmp_path: Path):
    [moved], _ = fill_and_archive(300, tmp_path)
    forge(moved)
    with pytest.raises(ArchiveUnavailable, match="entry 7 in it is not the one that the log's tree has"):
        list(entries_between(0, 256))
    assert len(list(entries_between(0, 256, checked=False))) == 256


def forge(moved: Archive) -> None:
    """Everything but the tree fits: header, leaf, file size and digest as recorded."""
    path = Path(moved.address)
    table = pq.read_table(path)
    rows = table.to_pylist()
    header = rows[7]["header"].replace(b"bot-", b"BOT-")
    rows[7]["header"], rows[7]["leaf"] = header, sha256(b"\x00" + header).digest()
    pq.write_table(table.from_pylist(rows, schema=table.schema), path, compression="zstd", write_page_checksum=True)
    with psycopg.connect(**connection_parameters(), autocommit=True) as session:
        digest = sha256(path.read_bytes()).hexdigest()
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE audit_archive SET sha256 = %s, bytes = %s", [digest, path.stat().st_size])


def connection_parameters() -> dict[str, Any]:
    found = connection.get_connection_params()
    return {name: found[name] for name in ("dbname", "user", "password", "host", "port") if found.get(name)}


def _forget_contents() -> None:
    from audit.retention import archive_files

    archive_files._contents.clear()


def test_an_archive_that_is_not_recorded_is_told(tmp_path: Path):
    fill_and_archive(300, tmp_path)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM audit_archive")
    with pytest.raises(ArchiveUnavailable, match="no archive is recorded"):
        list(entries_between(0, 1))


# --- Faults while archiving ---------------------------------------------------------------------------------------


def test_nothing_moves_when_the_log_is_not_what_the_tree_says(tmp_path: Path):
    fill(300)
    tamper("UPDATE audit_entry SET header = convert_to(replace(convert_from(header, 'UTF8'), 'bot-', 'BOT-'), 'UTF8')"
           " WHERE index = 9")  # fmt: skip
    with pytest.raises(ArchiveUnavailable, match="entry 9 in it is not the one"):
        archive_all(tmp_path)
    assert nothing_moved(tmp_path)


def test_nothing_moves_when_a_payload_is_missing(tmp_path: Path):
    fill(300)
    tamper("DELETE FROM audit_payload WHERE index = 8")
    with pytest.raises(NotArchived, match="payload of entry 8"):
        archive_all(tmp_path)
    assert nothing_moved(tmp_path)


def tamper(statement: str) -> None:
    with psycopg.connect(**connection_parameters(), autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute(statement)


def nothing_moved(tmp_path: Path) -> bool:
    return Head.objects.get().first == 0 and Entry.objects.count() == 300 and list(tmp_path.iterdir()) == []


def test_nothing_moves_when_the_copy_reads_back_differently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fill(300)

    def spoil(*arguments):
        file = write_archive(*arguments)
        content = bytearray(Path(file.address).read_bytes())
        content[len(content) // 3] ^= 1
        Path(file.address).write_bytes(content)
        return file

    monkeypatch.setattr(archives, "write_archive", spoil)
    with pytest.raises((ArchiveUnavailable, NotArchived)):
        archive_all(tmp_path)
    assert nothing_moved(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    fill(300)
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveUnavailable, match="Nothing was moved"):
        archive_all(tmp_path / "file")
    assert Head.objects.get().first == 0


def test_credentials_in_an_address_are_refused_and_not_repeated():
    fill(300)
    with pytest.raises(ArchiveUnavailable, match="holds credentials") as refusal:
        archive_all("s3://AKIA:verysecret@bucket/prefix")
    assert "verysecret" not in str(refusal.value)


@pytest.mark.parametrize("deleted", [0, 256])
def test_a_run_that_died_while_deleting_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: int
):
    fill(600)
    with monkeypatch.context() as patch:
        patch.setattr(archives, "delete_moved", lambda: 0)
        archive_all(tmp_path)
    Entry.objects.filter(index__lt=deleted)._raw_delete("default")
    assert Entry.objects.filter(index__lt=512).count() == 512 - deleted
    assert [entry.index for entry in entries_between(0, 600)] == list(range(600))
    assert delete_moved() == 512
    assert not Entry.objects.filter(index__lt=512).exists()
    assert delete_moved() == 0


def test_two_archivers_do_not_meet(tmp_path: Path):
    fill(300)
    with archives._alone(), pytest.raises(NotArchived, match="Another process"):
        archive_all(tmp_path)


def test_the_database_still_refuses_to_delete_what_was_not_moved(tmp_path: Path):
    fill_and_archive(300, tmp_path)
    with pytest.raises(Exception, match="append-only"):
        Entry.objects.filter(index=256)._raw_delete("default")


# --- Files --------------------------------------------------------------------------------------------------------


def test_files_are_for_their_owner_only_and_none_is_left_half_written(tmp_path: Path):
    [moved], _ = fill_and_archive(300, tmp_path / "deep" / "er")
    path = Path(moved.address)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_row_groups_are_bounded_in_rows_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("audit.retention.archive_writing.MOST_ROWS_IN_GROUP", 100)
    [moved], _ = fill_and_archive(300, tmp_path)
    file = pq.ParquetFile(moved.address)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [100, 100, 56]
    assert [entry.index for entry in entries_between(0, 256)] == list(range(256))


# --- The tree over a range ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "tiles", "peaks"), [(0, 1, 1), (0, 4, 1), (0, 7, 3), (1, 3, 2), (3, 5, 2), (5, 6, 4)]
)
def test_a_range_is_made_of_the_fewest_sub_trees_of_the_whole_tree(start: int, tiles: int, peaks: int):
    roots = [sha256(bytes([number])).digest() for number in range(start, start + tiles)]
    assert len(merged(start, roots)) == peaks


def test_the_sub_trees_of_a_range_from_zero_are_those_of_the_log():
    roots = [sha256(bytes([number])).digest() for number in range(13)]
    frontier = Frontier()
    for root in roots:
        frontier.append(root)
    assert merged(0, roots) == frontier.peaks
