"""An S3-compatible store as a witness, against a server process that speaks S3."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from audit.models import Checkpoint, Witness
from audit.transparency import checkpoints, witnesses
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.heads import TreeHead
from audit.transparency.keys import origin, signers
from audit.transparency.notes import sign
from audit.transparency.publication import publish
from audit.transparency.stores import Bucket
from tests.audit.transparency.conftest import Grow

START_SECONDS = 60
KEYS = {"region": "us-east-1", "access_key": "testing", "secret_key": "testing-secret"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture
def bucket(control_db: str, endpoint: str) -> Bucket:
    """Empty, and a witness of this log."""
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10).close()
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/kept", method="PUT"), timeout=10).close()
    credentials = {**KEYS, "endpoint": endpoint}
    witnesses.add("store", "s3", "s3://kept/logs/one", credentials=credentials, actor="user:root")
    return Bucket("s3://kept/logs/one", credentials)


def problem() -> str:
    return Witness.objects.get().problem


def test_a_store_gets_the_newest_checkpoint_and_keeps_each(bucket: Bucket, grow: Grow):
    grow(2)
    publish()
    first = checkpoints.latest(fresh=False)
    grow()
    publish()
    second = checkpoints.latest(fresh=False)
    assert second.size > first.size
    assert bucket.read("checkpoint") == bucket.read(f"checkpoints/{second.size}") == second.note.encode()
    assert bucket.read(f"checkpoints/{first.size}") == first.note.encode()
    assert (Witness.objects.get().size, problem()) == (second.size, "")


def test_p6_a_store_that_knows_another_history_is_left_as_it_is(bucket: Bucket, grow: Grow):
    grow()
    publish()
    other = sign(str(TreeHead(origin(), 1, bytes(32))), signers(())).encode()
    bucket.write("checkpoint", other)
    grow()
    publish()
    assert "the place knows another history, nothing was written" in problem()
    assert bucket.read("checkpoint") == other


def test_p6_a_store_that_remembers_another_history_keeps_a_process_from_signing_first(bucket: Bucket, grow: Grow):
    grow()
    other = sign(str(TreeHead(origin(), 1, bytes(32))), signers(())).encode()
    bucket.write("checkpoint", other)
    with pytest.raises(HistoryDiffers, match="witness store"):
        publish()
    assert not Checkpoint.objects.exists()
    assert bucket.read("checkpoint") == other


def test_a_store_that_was_emptied_is_not_filled_again_in_silence(bucket: Bucket, endpoint: str, grow: Grow):
    grow()
    publish()
    urllib.request.urlopen(
        urllib.request.Request(f"{endpoint}/kept/logs/one/checkpoint", method="DELETE"), timeout=10
    ).close()
    grow()
    publish()
    assert "somebody emptied it" in problem()


def test_a_store_without_the_bucket_says_so(control_db: str, endpoint: str, grow: Grow):
    witnesses.add("store", "s3", "s3://nowhere", credentials={**KEYS, "endpoint": endpoint}, actor="user:root")
    grow()
    publish()
    assert "nowhere" in problem() or "bucket" in problem().lower()
    assert Witness.objects.get().size == 0
