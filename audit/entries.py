"""An entry, before it has its place in the log (`Draft`) and after (`Placed`). Pure.

The header is what is hashed: canonical JSON of index, time, kind, the event's fields and the digest of the payload.
What entries are found by repeats some of it (audit/following.py); verification compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from audit.canonical import LARGEST_INTEGER, encode
from audit.events import check_event
from audit.merkle import leaf_hash

FORMAT = 1
# An entry bundle of C2SP tlog-tiles prefixes each entry with its length in 16 bits.
LARGEST_HEADER = 65_534
# The longest index and time that a header can have.
LATEST = "9999-12-31T23:59:59.999999Z"


class EntryTooLarge(ValueError):
    """The header would not fit. Names the largest field; long or sensitive content belongs into the payload."""


@dataclass(frozen=True, slots=True)
class SealedPayload:
    """`key` is the id of the subject's key that opens it; None for the installation's key."""

    key: str | None
    nonce: bytes
    ciphertext: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked event that waits for its index and time."""

    kind: str
    fields: dict[str, object]
    payload: SealedPayload | None


@dataclass(frozen=True, slots=True)
class Placed:
    header: bytes
    leaf: bytes


def draft_entry(kind: str, fields: Mapping[str, object], payload: SealedPayload | None = None) -> Draft:
    """Everything that can be wrong with an event is found here, before it can hold up others in a batch."""
    draft = Draft(kind, check_event(kind, fields), payload)
    size = len(encode(_header_of(draft, LARGEST_INTEGER, LATEST)))
    if size > LARGEST_HEADER:
        widest = max(draft.fields, key=lambda name: len(orjson.dumps(draft.fields[name])))
        width = len(orjson.dumps(draft.fields[widest]))
        raise EntryTooLarge(
            f"{kind}: the entry would have {size} bytes, at most {LARGEST_HEADER} fit; its largest field is"
            f" {widest!r} with {width} bytes. Cut it, or put it into the payload."
        )
    return draft


def place_entry(draft: Draft, index: int, stamp: str) -> Placed:
    """`stamp` is the entry's time as `format_time` writes it. The draft was checked, so its spelling is canonical."""
    header = orjson.dumps(_header_of(draft, index, stamp), option=orjson.OPT_SORT_KEYS)
    return Placed(header, leaf_hash(header))


def _header_of(draft: Draft, index: int, stamp: str) -> dict[str, object]:
    header: dict[str, object] = {**draft.fields, "v": FORMAT, "index": index, "time": stamp, "kind": draft.kind}
    if draft.payload:
        header["payload_digest"] = draft.payload.digest
        if draft.payload.key:
            header["payload_key"] = draft.payload.key
    return header


def format_time(time: datetime) -> str:
    """ISO 8601 in UTC, always with six digits and Z, so that equal times are equal text."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
