"""The file door: what it finds, what it cuts, when it begins another file."""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from audit.forwarding import administration, running
from audit.forwarding.batches import Batch, Line
from audit.forwarding.errors import DeliveryFailed
from audit.forwarding.files import FileDoor
from audit.models import Forwarder
from tests.audit.forwarding.conftest import Grow

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(index: int, time: datetime = DAY) -> Line:
    text = orjson.dumps({"index": index, "time": time.isoformat(), "kind": "statement.denied"})
    return Line(index, time, "statement.denied", "", text)


def batch(*lines: Line) -> Batch:
    return Batch(lines[0].index, lines[-1].index + 1, list(lines))


def indexes(path: Path) -> list[int]:
    return [orjson.loads(one)["index"] for one in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "entries.ndjson"


def test_a_line_that_was_cut_off_is_written_again_whole(path: Path):
    whole = line(0).text + b"\n"
    path.write_bytes(whole + line(1).text[:20])
    door = FileDoor(path, "entry")
    assert door.position(5) == 1
    assert path.read_bytes() == whole


def test_it_goes_on_after_what_the_file_has_and_not_after_what_was_noted(path: Path):
    path.write_bytes(line(7).text + b"\n")
    assert FileDoor(path, "entry").position(3) == 8


def test_with_chosen_kinds_what_was_passed_over_is_not_read_again(path: Path):
    path.write_bytes(line(7).text + b"\n")
    assert FileDoor(path, "entry", keeps_all=False).position(30) == 30


def test_another_day_begins_another_file(path: Path):
    door = FileDoor(path, "entry")
    door.send(batch(line(0), line(1), line(2, DAY + timedelta(days=1))))
    assert indexes(path.with_name("entries.000000000000-000000000001.ndjson")) == [0, 1]
    assert indexes(path) == [2]


def test_a_full_file_is_renamed_and_its_end_is_remembered(path: Path):
    door = FileDoor(path, "entry", most_file_bytes=3 * len(line(0).text + b"\n"))
    door.send(batch(*map(line, range(6))))
    door.close()
    assert indexes(path.with_name("entries.000000000000-000000000002.ndjson")) == [0, 1, 2]
    path.rename(path.with_name("entries.000000000003-000000000005.ndjson"))
    assert FileDoor(path, "entry").position(0) == 6


def test_a_file_that_was_moved_away_is_begun_anew(path: Path):
    door = FileDoor(path, "entry")
    door.send(batch(line(0)))
    path.rename(path.with_name("moved"))
    door.send(batch(line(1)))
    assert (indexes(path.with_name("moved")), indexes(path)) == ([0], [1])


def test_a_file_of_something_else_is_left_alone(path: Path):
    path.write_text("somebody's notes\n")
    with pytest.raises(DeliveryFailed, match="not of this forwarder"):
        FileDoor(path, "entry").position(0)
    assert path.read_text() == "somebody's notes\n"


def test_two_processes_do_not_write_to_one_file(path: Path):
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DeliveryFailed, match="another process writes"):
            FileDoor(path, "entry").position(0)


def test_a_link_is_not_followed(path: Path, tmp_path: Path):
    path.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic link"):
        FileDoor(path, "entry").position(0)


def test_a_full_disk_leaves_no_half_line(path: Path, monkeypatch: pytest.MonkeyPatch):
    door = FileDoor(path, "entry")
    door.send(batch(line(0)))
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.forwarding.files.os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        door.send(batch(line(1)))
    assert path.read_bytes() == before


def test_a_file_of_a_longer_log_stops_the_forwarder(grow: Grow, folder: Path):
    grow(1)
    administration.add("file", "file", "log.ndjson", actor="test")
    folder.mkdir()
    (folder / "log.ndjson").write_bytes(line(99).text + b"\n")
    assert not running.work("file")
    assert "it is another ledger's, or entries are gone" in Forwarder.objects.get().problem


def test_ocsf_events_are_found_again_by_their_index(grow: Grow, folder: Path):
    administration.add("file", "file", "events.ndjson", actor="test", form="ocsf")
    grow(2)
    running.work("file")
    Forwarder.objects.update(next=0)
    grow(1)
    running.work("file")
    events = [orjson.loads(one) for one in (folder / "events.ndjson").read_bytes().splitlines()]
    assert [one["metadata"]["uid"].rpartition("#")[2] for one in events] == ["0", "1", "2", "3"]
    assert events[1]["class_uid"] == 6005
