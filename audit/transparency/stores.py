"""The places themselves: a directory, an S3-compatible store. They read and write, and judge nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from audit.durable import synchronise_folder
from audit.models import Witness
from audit.transparency.notes import LONGEST_NOTE
from identity.sealing import unseal

NEWEST = "checkpoint"
KINDS = ("directory", "s3")
SEALED = "audit.witness.sealed"
S3_TIMEOUT_SECONDS = 10
S3_ATTEMPTS = 2


class WitnessError(Exception):
    """The witness did not take the checkpoint. The message says why, and what to do."""


class Place(Protocol):
    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None: ...


def place_of(witness: Witness) -> Place:
    """Raises `UnsealError`, `OSError`."""
    if witness.kind == "directory":
        return Directory(witness.address)
    credentials = {} if witness.sealed is None else orjson.loads(unseal(bytes(witness.sealed), SEALED))
    return Bucket(witness.address, credentials)


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
