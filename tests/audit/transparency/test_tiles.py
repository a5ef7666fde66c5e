"""Tiles of the log: what they hold, that they are made once, and that nothing past the log is made up."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from audit import ledger
from audit.canonical import encode
from audit.entries import format_time
from audit.merkle import Frontier, leaf_hash, root_of
from audit.models import Entry, Head, Tile
from audit.transparency import tiles
from audit.transparency.tile_tasks import make_tiles
from audit.transparency.tiles import LogDamaged, NotInLog
from bench.filling import fill_log

pytestmark = pytest.mark.usefixtures("control_db")


def leaves(first: int, end: int) -> list[bytes]:
    found = Entry.objects.filter(index__gte=first, index__lt=end).order_by("index")
    return [bytes(leaf) for leaf in found.values_list("leaf", flat=True)]


def without_triggers(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)


def test_an_empty_log_has_no_tiles():
    assert tiles.bring_up_to_date() == 0
    with pytest.raises(NotInLog, match="0 entries"):
        tiles.tile(0, 0, 1)


def test_a_filled_log_is_what_the_writer_would_have_written():
    fill_log(300)
    ledger.append("statement.denied", principal="agent:a")
    for entry in Entry.objects.all():
        assert encode(entry.fields) == bytes(entry.header)
        assert leaf_hash(bytes(entry.header)) == bytes(entry.leaf)
        assert (entry.fields["index"], entry.fields["time"]) == (entry.index, format_time(entry.time))
    head = Head.objects.get(id=1)
    assert Frontier.from_bytes(301, bytes(head.frontier)).root() == root_of(leaves(0, 301))


def test_only_full_tiles_are_stored():
    fill_log(255)
    tiles.bring_up_to_date()
    assert not Tile.objects.exists()
    fill_log(700)
    tiles.bring_up_to_date()
    assert list(Tile.objects.order_by("number").values_list("level", "number")) == [(0, 0), (0, 1)]


def test_a_tile_holds_the_leaf_hashes_and_the_root_over_them():
    fill_log(600)
    assert tiles.tile(0, 1) == b"".join(leaves(256, 512))
    assert bytes(Tile.objects.get(level=0, number=1).root) == root_of(leaves(256, 512))


@pytest.mark.parametrize("width", [1, 87, 88])
def test_a_partial_tile_holds_the_first_hashes(width: int):
    fill_log(600)
    assert tiles.tile(0, 2, width) == b"".join(leaves(512, 512 + width))


def test_a_full_tile_can_be_had_in_part():
    fill_log(600)
    assert tiles.tile(0, 0, 7) == b"".join(leaves(0, 7))


def test_a_partial_tile_of_a_higher_level_holds_the_roots_of_the_tiles_below():
    fill_log(1000)
    assert tiles.tile(1, 0, 3) == b"".join(root_of(leaves(at, at + 256)) for at in (0, 256, 512))


def test_a_full_tile_of_a_higher_level_is_stored_and_reaches_over_65536_entries():
    fill_log(65_536 + 256)
    whole = leaves(0, 65_536)
    assert tiles.tile(1, 0) == b"".join(root_of(whole[at : at + 256]) for at in range(0, 65_536, 256))
    assert tiles.tile(2, 0, 1) == root_of(whole) == bytes(Tile.objects.get(level=1, number=0).root)
    assert tiles.tile(1, 1, 1) == root_of(leaves(65_536, 65_792))


@pytest.mark.parametrize(("level", "number", "width"), [(0, 2, 89), (0, 2, 256), (0, 3, 1), (1, 0, 3), (2, 0, 1)])
def test_what_the_log_has_not_reached_is_refused(level: int, number: int, width: int):
    fill_log(600)
    with pytest.raises(NotInLog, match="600 entries"):
        tiles.tile(level, number, width)


@pytest.mark.parametrize("width", [0, -1, 257])
def test_widths_that_no_tile_has_are_refused(width: int):
    fill_log(600)
    with pytest.raises(ValueError, match="1 to 256"):
        tiles.tile(0, 0, width)


def test_processes_that_make_the_same_tiles_at_once_do_not_disturb_each_other():
    fill_log(2000)
    together = threading.Barrier(4)

    def make(_number: int) -> int:
        together.wait()
        try:
            return tiles.bring_up_to_date()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(make, range(4))) == [2000] * 4
    assert Tile.objects.filter(level=0).count() == 7


def test_tiles_are_made_in_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tiles, "MOST_AT_ONCE", 2)
    fill_log(256 * 5)
    tiles.bring_up_to_date()
    assert Tile.objects.count() == 5
    assert list(tiles.leaf_hashes(100, 1280)) == leaves(100, 1280)


def test_a_missing_entry_makes_no_tile():
    fill_log(600)
    without_triggers("DELETE FROM audit_entry WHERE index = 300")
    with pytest.raises(LogDamaged, match=r"tile 0/1 .*ledger verify"):
        tiles.bring_up_to_date()
    assert not Tile.objects.exists()


def test_a_leaf_that_is_not_a_hash_makes_no_tile():
    fill_log(600)
    without_triggers("UPDATE audit_entry SET leaf = leaf || '\\x00' WHERE index = 300")
    with pytest.raises(LogDamaged, match="tile 0/1"):
        tiles.bring_up_to_date()


def test_a_missing_entry_at_the_edge_is_told():
    fill_log(600)
    without_triggers("DELETE FROM audit_entry WHERE index = 550")
    with pytest.raises(LogDamaged, match="tile 0/2"):
        tiles.tile(0, 2, 88)


def test_the_database_refuses_to_change_tiles():
    fill_log(256)
    tiles.bring_up_to_date()
    for statement in ("UPDATE audit_tile SET number = 7", "DELETE FROM audit_tile", "TRUNCATE audit_tile"):
        with pytest.raises((InternalError, ProgrammingError), match="append-only"), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize(
    ("first", "end"), [(0, 0), (0, 600), (255, 257), (256, 512), (511, 513), (512, 600), (599, 600), (3, 40)]
)
def test_leaf_hashes_come_in_order_from_tiles_and_edge(first: int, end: int):
    fill_log(600)
    assert list(tiles.leaf_hashes(first, end)) == leaves(first, end)


def test_leaf_hashes_of_what_is_not_there_are_refused():
    fill_log(600)
    with pytest.raises(NotInLog, match="600 entries"):
        list(tiles.leaf_hashes(500, 601))


@pytest.mark.parametrize(("number", "width"), [(0, 256), (1, 3), (2, 88)])
def test_a_bundle_holds_each_header_after_its_length(number: int, width: int):
    fill_log(600)
    packed, headers = tiles.entry_bundle(number, width), []
    while packed:
        end = 2 + int.from_bytes(packed[:2])
        headers.append(packed[2:end])
        packed = packed[end:]
    first = number * 256
    stored = Entry.objects.filter(index__gte=first, index__lt=first + width).order_by("index")
    assert headers == [bytes(header) for header in stored.values_list("header", flat=True)]


def test_a_bundle_past_the_end_is_refused():
    fill_log(600)
    with pytest.raises(NotInLog, match="bundle 2 has 88 of the 256"):
        tiles.entry_bundle(2)


def test_the_task_makes_what_is_missing():
    fill_log(600)
    make_tiles()
    assert Tile.objects.filter(level=0).count() == 2


def test_the_task_says_so_when_the_log_has_a_hole(caplog: pytest.LogCaptureFixture):
    fill_log(600)
    without_triggers("DELETE FROM audit_entry WHERE index = 300")
    make_tiles()
    assert "tile 0/1 cannot be made" in caplog.text
