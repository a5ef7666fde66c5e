"""The text of a checkpoint (C2SP tlog-checkpoint): origin, size, root, each on a line of its own. Pure."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple

from audit.merkle import HASH_SIZE
from audit.transparency.notes import NoteError, from_base64

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class TreeHead(NamedTuple):
    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> TreeHead:
    """Of a note's text, without signatures. Further lines may follow and mean nothing here. Raises `NoteError`."""
    if not text.endswith("\n"):
        raise NoteError("the text of a checkpoint must end with a line break")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise NoteError("a checkpoint has three lines at least, none of them empty: origin, size, root")
    origin, size, encoded = lines[:3]
    if not _SIZE.fullmatch(size) or int(size) >= 2**63:
        raise NoteError(f"{size[:40]!r} cannot be the size of a log")
    root = from_base64(encoded, "the root of the checkpoint")
    if len(root) != HASH_SIZE:
        raise NoteError(f"the root of a checkpoint has {HASH_SIZE} bytes, not {len(root)}")
    return TreeHead(origin, int(size), root)
