"""A zip file that is written as a stream, and whose comment is the SHA-256 of everything before it.

Zip keeps checksums of contents only; with the comment, no byte of the file can change unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

_PLACE_OF_SEAL = b"sha256:" + b"0" * 64
_LARGE = 1 << 16


class Target(Protocol):
    """A file, or anything that takes bytes in order."""

    def write(self, data: bytes, /) -> object: ...


class _Digesting:
    """Passes on what is written. Not seekable, so zipfile never goes back."""

    def __init__(self, target: Target) -> None:
        self._target, self._digest = target, hashlib.sha256()

    def write(self, data: bytes) -> int:
        # zipfile writes the comment by itself, as the last thing.
        if data == _PLACE_OF_SEAL:
            data = b"sha256:" + self._digest.hexdigest().encode()
        self._digest.update(data)
        self._target.write(data)
        return len(data)

    def flush(self) -> None: ...


class SealedZip:
    """`files` says what was written: {name: {"sha256": …, "bytes": …}}."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, dict[str, object]] = {}

    def add(self, name: str, content: bytes) -> None:
        self.add_lines(name, [content])

    def add_lines(self, name: str, pieces: Iterable[bytes]) -> None:
        """Memory holds one piece at a time, and a little."""
        digest, size, held = hashlib.sha256(), 0, bytearray()
        # No time of day: the same content gives the same file.
        info = zipfile.ZipInfo(name)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        with self._archive.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                held += piece
                if len(held) >= _LARGE:
                    member.write(held)
                    held.clear()
            member.write(held)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}


@contextmanager
def sealed_zip(target: Target) -> Iterator[SealedZip]:
    stream: Any = _Digesting(target)  # zipfile asks for less than its types say
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        yield SealedZip(archive)
        archive.comment = _PLACE_OF_SEAL


def spell(value: object, *, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=indent is not None).encode() + b"\n"
