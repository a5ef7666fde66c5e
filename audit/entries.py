"""An entry, before it has its place in the log (`Draft`) and after (`Placed`). Pure.

The header is what is hashed: canonical JSON of index, time, kind, the event's fields and the digest of the payload.
What entries are found by repeats some of it (audit/following.py); verification compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from audit.canonical import LARGEST_INTEGER, check_values, encode
from audit.events import check_event
from audit.merkle import leaf_hash

FORMAT = 1
# An entry bundle of C2SP tlog-tiles prefixes each entry with its length in 16 bits.
LARGEST_HEADER = 65_534
# What the index and the time that an entry gets later can add: at most.
_PLACE = len(encode({"index": LARGEST_INTEGER, "time": "9999-12-31T23:59:59.999999Z"}))


class EntryTooLarge(ValueError):
    """The header would not fit. Names the largest field; long or sensitive content belongs into the payload."""


@dataclass(frozen=True, slots=True)
class SealedPayload:
    """`key` is the id of the subject's key that opens it; None for the installation's key."""

    key: str | None
    nonce: bytes
    ciphertext: bytes
    digest: str


@dataclass(slots=True)
class Draft:
    """A checked event that waits for its index and time. `header` is all of it but those two."""

    kind: str
    header: dict[str, object]
    payload: SealedPayload | None


def draft_entry(kind: str, fields: Mapping[str, object], payload: SealedPayload | None = None) -> Draft:
    """Everything that can be wrong with an event is found here, before it can hold up others in a batch."""
    header = check_event(kind, fields)
    check_values(header)
    header["v"] = FORMAT
    header["kind"] = kind
    if payload:
        header["payload_digest"] = payload.digest
        if payload.key:
            header["payload_key"] = payload.key
    size = len(orjson.dumps(header)) + _PLACE
    if size > LARGEST_HEADER:
        widest = max(header, key=lambda name: len(orjson.dumps(header[name])))
        width = len(orjson.dumps(header[widest]))
        raise EntryTooLarge(
            f"{kind}: the entry would have {size} bytes, at most {LARGEST_HEADER} fit; its largest field is"
            f" {widest!r} with {width} bytes. Cut it, or put it into the payload."
        )
    return Draft(kind, header, payload)


def place_entry(draft: Draft, index: int, stamp: str) -> tuple[bytes, bytes]:
    """Header and leaf. `stamp` is the entry's time as `format_time` writes it. The draft was checked, so its spelling is
    canonical."""
    content = draft.header
    content["index"], content["time"] = index, stamp
    header = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return header, leaf_hash(header)


def format_time(time: datetime) -> str:
    """ISO 8601 in UTC, always with six digits and Z, so that equal times are equal text."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
