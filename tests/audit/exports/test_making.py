"""Making a file: broken off anywhere it goes on, no entry twice and none lost; cancelled or without room it leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.utils import timezone

from audit.exports import making, service, tasks
from audit.exports.folder import folder_of, held
from audit.exports.making import make
from audit.models import Entry, Export
from audit.search import EntryFilter
from identity.principals import Principal
from tests.audit.exports.conftest import ask, record
from tests.fixtures.databases import control_url
from tests.fixtures.ground import REPOSITORY


def indexes_in(export: Export, form: str) -> list[int]:
    content = (folder_of(export.pk) / Path(export.file).name).read_bytes()
    if form == "parquet":
        return [int(index) for index in pq.read_table(pa.BufferReader(content)).column("index").to_pylist()]
    return [orjson.loads(line)["index"] for line in content.splitlines()]


def ended(export: Export) -> Export:
    export.refresh_from_db()
    assert (export.state, export.problem) == ("done", "")
    return export


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few entries at a time, and the row written after each of them."""
    monkeypatch.setattr("audit.exports.selection.ROWS", 7)
    monkeypatch.setattr(making, "KEEP_SECONDS", 0)


class Broken(BaseException):
    """Like the death of the process: nothing in the way of it runs."""


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("form", ["ndjson", "parquet"])
@pytest.mark.parametrize("wanted", [EntryFilter(), EntryFilter(datasource="shop")])
def test_broken_off_after_any_batch_it_goes_on_from_there(
    olaf: Principal, form: str, wanted: EntryFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        record(9)
        record(1, datasource="hr")
    export = ask(olaf, form, filter=wanted)
    take = making._take

    def taken_and_broken(*arguments: Any) -> None:
        take(*arguments)
        raise Broken

    for _ in range(3):
        make(export.pk, seconds=0)
        with monkeypatch.context() as patch:
            patch.setattr(making, "_take", taken_and_broken)
            with pytest.raises(Broken):
                make(export.pk)
    make(export.pk)
    entries = Entry.objects.filter(index__lt=export.end).order_by("index")
    expected = [one.index for one in entries if not wanted.datasource or one.fields.get("datasource") == "shop"]
    assert indexes_in(ended(export), form) == expected


@pytest.mark.usefixtures("small_batches")
def test_a_turn_that_is_over_leaves_the_rest_for_the_next(olaf: Principal) -> None:
    record(30)
    export = ask(olaf)
    made = make(export.pk, seconds=0)
    assert made is not None
    assert (made.state, made.rows) == ("running", 7)


def test_a_worker_that_is_killed_at_any_moment_loses_no_entry(olaf: Principal, exports_folder: Path) -> None:
    record(300)
    export = ask(olaf)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": control_url(),
        "COUNTERSIGN_EXPORTS": str(exports_folder),
    }
    code = """
import sys, uuid, django
django.setup()
from audit.exports import making, selection
selection.ROWS, making.KEEP_SECONDS = 10, 0
def tell(export):
    print(export.rows, flush=True)
    sys.stdin.readline()
making.make(uuid.UUID(sys.argv[1]), tell=tell)
"""
    for rows in (20, 70, 120):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(export.pk)],
            cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            while int(process.stdout.readline()) < rows:
                process.stdin.write("on\n")
            process.send_signal(signal.SIGKILL)
    export.refresh_from_db()
    assert (export.state, export.rows) == ("running", 120)
    make(export.pk)
    assert indexes_in(ended(export), "ndjson") == list(range(export.end))


def test_what_was_lost_on_the_disk_is_made_again_from_the_start(
    olaf: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(5)
    export = ask(olaf)
    with monkeypatch.context() as patch:
        patch.setattr(making, "KEEP_SECONDS", 0)
        make(export.pk, seconds=0)
    (path,) = folder_of(export.pk).glob("export.*")
    path.unlink()
    assert make(export.pk).state == "queued"  # type: ignore[union-attr]
    make(export.pk)
    assert indexes_in(ended(export), "ndjson") == list(range(export.end))


def test_two_processes_never_make_the_same_file(olaf: Principal) -> None:
    export = ask(olaf)
    with held(export.pk) as folder:
        assert folder is not None
        assert make(export.pk) is None


@pytest.mark.usefixtures("small_batches")
def test_cancelling_ends_what_is_under_way_and_deletes_it(olaf: Principal) -> None:
    record(30)
    export = ask(olaf)

    def cancel(running: Export) -> None:
        service.cancel(olaf, running)

    made = make(export.pk, tell=cancel)
    assert made is not None
    assert (made.state, folder_of(export.pk).exists()) == ("cancelled", False)
    assert Entry.objects.filter(kind="export.finished").count() == 1


def test_one_that_was_cancelled_before_a_worker_took_it_is_never_made(olaf: Principal) -> None:
    export = ask(olaf)
    service.cancel(olaf, export)
    assert make(export.pk) is None
    assert not folder_of(export.pk).exists()


def test_without_room_it_fails_says_so_and_leaves_nothing(
    olaf: Principal, exports_folder: Path, tmp_path: Path
) -> None:
    """The command's own limit on the size of files stands for a disk that is full."""
    record(50)
    command = [sys.executable, "manage.py", "ledger", "export", "--format=ndjson", f"--output={tmp_path / 'out'}"]
    shell = ["bash", "-c", 'ulimit -f 4; exec "$@"', "limited", *command]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": control_url(),
        "COUNTERSIGN_EXPORTS": str(exports_folder),
    }
    ran = subprocess.run(shell, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    export = Export.objects.get()
    assert ran.returncode == 1
    assert "There is no room for the file" in ran.stderr
    assert (export.state, folder_of(export.pk).exists(), (tmp_path / "out").exists()) == ("failed", False, False)
    assert Entry.objects.order_by("-index")[0].fields["status"] == "failed"


def test_what_goes_wrong_is_told_and_tried_again_after_a_pause(
    olaf: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask(olaf)
    with monkeypatch.context() as patch:
        patch.setattr(making, "batches", lambda *_a, **_o: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        made = make(export.pk)
    assert made is not None
    assert made.state == "queued"
    assert "Input/output error" in made.problem
    published: list[uuid.UUID] = []
    monkeypatch.setattr("audit.exports.publishing.publish", published.append)
    tasks.sweep_exports()
    assert published == []
    made.progress["retry_at"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    made.save()
    tasks.sweep_exports()
    assert published == [export.pk]
    make(export.pk)
    ended(export)


def test_the_sweep_finds_those_whose_worker_died_and_leaves_the_others(
    olaf: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, alive = ask(olaf), ask(olaf)
    now = timezone.now()
    Export.objects.filter(pk=dead.pk).update(state="running", beat_at=now - timedelta(minutes=1))
    Export.objects.filter(pk=alive.pk).update(state="running", beat_at=now)
    published: list[uuid.UUID] = []
    monkeypatch.setattr("audit.exports.publishing.publish", published.append)
    tasks.sweep_exports()
    assert published == [dead.pk]


def test_a_file_whose_time_is_over_is_deleted_and_the_row_stays(olaf: Principal) -> None:
    export = ask(olaf)
    make(export.pk)
    assert tasks.delete_expired_exports() == 0
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tasks.delete_expired_exports()
    export.refresh_from_db()
    assert (export.state, folder_of(export.pk).exists()) == ("expired", False)
