"""Places that keep checkpoints and nothing else: a directory, an S3-compatible store.

    checkpoint           the newest that was given
    checkpoints/SIZE     each one that was given; never written twice

A place does not judge: so what it holds is read before anything is written, and if this log is not how that history goes
on, nothing is written. Such a place is of use if those who run this log cannot delete there what they wrote.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from audit.durable import synchronise_folder
from audit.models import Checkpoint
from audit.transparency import checkpoints, keys
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.heads import TreeHead, parse_checkpoint
from audit.transparency.notes import LONGEST_NOTE, NoteError, parse, verify

NEWEST = "checkpoint"
S3_TIMEOUT_SECONDS = 10
S3_ATTEMPTS = 2


class WitnessError(Exception):
    """The witness did not take the checkpoint. The message says why, and what to do."""


class OtherHistory(WitnessError):
    """The witness knows another history than this log's. That is what witnesses are for: find out who changed what."""


class Place(Protocol):
    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None: ...


def keep(place: Place, checkpoint: Checkpoint, given: int) -> None:
    """Adds a checkpoint; `given` is the size of the last one that the place has taken. Raises `WitnessError`, `OSError`."""
    ours = checkpoints.head_of(checkpoint)
    newest = place.read(NEWEST)
    if newest is None and given:
        raise WitnessError(
            f"the place is empty, but was given a checkpoint of {given} entries: somebody emptied it, or it is another"
            " place. Put back what was there, or remove this witness and add the place as a new one."
        )
    known = None if newest is None else _agreeing(newest, ours)
    if known is not None and known.size > ours.size:
        return
    copy = f"checkpoints/{ours.size}"
    kept = place.read(copy)
    if kept is None:
        place.write(copy, checkpoints.note_of(checkpoint).encode())
    else:
        _agreeing(kept, ours)
    if known is None or known.size < ours.size:
        place.write(NEWEST, checkpoints.note_of(checkpoint).encode())


def _agreeing(content: bytes, ours: TreeHead) -> TreeHead:
    """What the place holds, once it is known to be of this log's history. Raises `OtherHistory`."""
    try:
        note = parse(content.decode())
        theirs = parse_checkpoint(note.text)
        checkpoints.require_agreement(theirs, ours)
        verify(note, keys.verifier_keys())
    except (NoteError, UnicodeDecodeError) as error:
        raise OtherHistory(
            f"the place holds something that this log never signed, nothing was written: {error}"
        ) from error
    except HistoryDiffers as error:
        raise OtherHistory(f"the place knows another history, nothing was written: {error}") from error
    return theirs


class Directory:
    """A folder, best a mounted one on another machine, where files can be added but not changed."""

    def __init__(self, address: str) -> None:
        self.folder = Path(address)

    def read(self, name: str) -> bytes | None:
        # A missing folder is no empty one: the share behind it may not be mounted.
        if not self.folder.is_dir():
            raise WitnessError(f"there is no folder {self.folder}: make it, or mount what belongs there")
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(LONGEST_NOTE + 1)
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Whole or not at all, and on disk when it returns; only the newest is ever replaced."""
        target = self.folder / name
        target.parent.mkdir(exist_ok=True)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if name == NEWEST:
                draft.replace(target)
            else:
                _place_new(draft, target)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
        synchronise_folder(target.parent)


class Bucket:
    """`s3://bucket/prefix` in any S3-compatible store; best with object lock, and a key that may not delete."""

    def __init__(self, address: str, credentials: Mapping[str, str]) -> None:
        # Imported late: it takes a moment, starts threads, and most installations have no such witness.
        from pyarrow import fs

        parts = urlsplit(address)
        self.prefix = "/".join(filter(None, (parts.netloc, parts.path.strip("/"))))
        options: dict[str, Any] = {}
        if credentials.get("endpoint"):
            endpoint = urlsplit(credentials["endpoint"])
            options |= {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme}
        for name in ("region", "access_key", "secret_key"):
            if credentials.get(name):
                options[name] = credentials[name]
        self.store = fs.S3FileSystem(
            **options,
            connect_timeout=S3_TIMEOUT_SECONDS,
            request_timeout=S3_TIMEOUT_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=S3_ATTEMPTS),
        )

    def read(self, name: str) -> bytes | None:
        try:
            with self.store.open_input_stream(f"{self.prefix}/{name}") as stream:
                return bytes(stream.read(LONGEST_NOTE + 1))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        with self.store.open_output_stream(f"{self.prefix}/{name}") as stream:
            stream.write(content)


def _place_new(draft: Path, target: Path) -> None:
    """Fails where the target is there: by a link, or, on a share that has none, by looking first."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        if target.exists():
            raise
        draft.replace(target)
