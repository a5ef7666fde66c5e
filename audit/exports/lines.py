"""Formats of one line an entry: CSV, NDJSON and OCSF. What is written is only ever added to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, cast

import orjson

from audit.entries import format_time
from audit.events import KINDS
from audit.exports.cells import neutral_throughout
from audit.exports.columns import COLUMNS, FIELDS, typed
from audit.exports.ocsf import to_ocsf
from audit.models import Entry
from audit.payloads import ErasedError
from audit.reading import StoredEntry, payload_of
from audit.search import entry_json
from audit.transparency.keys import origin
from identity.sealing import UnsealError

# --- CSV ----------------------------------------------------------------------------------------------------------


def csv_head() -> bytes:
    return csv_rows([COLUMNS])


def csv_lines(entries: Iterable[StoredEntry], _with_payloads: bool) -> bytes:
    return csv_rows(map(_cells, entries))


def csv_rows(rows: Iterable[Iterable[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode("utf-8", "replace")


def _cells(entry: StoredEntry) -> list[object]:
    header = header_of(entry)
    text = bytes(entry.header).decode("utf-8", "replace")
    return [
        entry.index,
        format_time(entry.time),
        neutral_throughout(entry.kind),
        neutral_throughout(title_of(entry.kind)),
        *(_cell(typed(header.get(name), kind)) for name, kind in FIELDS.items()),
        neutral_throughout(text),
        bytes(entry.leaf).hex(),
    ]


def _cell(value: Any) -> object:
    if isinstance(value, str):
        return neutral_throughout(value)
    if isinstance(value, list):
        return neutral_throughout("; ".join(value))
    return "" if value is None else value


def title_of(kind: str) -> str:
    known = KINDS.get(kind)
    return known.title if known else kind


def header_of(entry: StoredEntry) -> Mapping[str, Any]:
    """Empty where it cannot be read, which only tampering explains: the entry is exported all the same, as it is."""
    try:
        found = orjson.loads(entry.header)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


# --- JSON ---------------------------------------------------------------------------------------------------------


def ndjson(entries: Iterable[StoredEntry], with_payloads: bool) -> bytes:
    return b"".join(orjson.dumps(_object(entry, with_payloads), option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


def _object(entry: StoredEntry, with_payloads: bool) -> dict[str, object]:
    # It reads nothing but what the two have in common.
    found = entry_json(cast(Entry, entry))
    if with_payloads and "payload_digest" in found:
        found |= _payload(entry)
    return found


def _payload(entry: StoredEntry) -> dict[str, object]:
    """A payload that does not open is told in its place, and takes no other entry with it."""
    try:
        return {"payload": payload_of(entry)}
    except ErasedError as error:
        return {"payload": None, "payload_erased": str(error)}
    except UnsealError as error:
        return {"payload": None, "payload_problem": str(error)}


def ocsf(entries: Iterable[StoredEntry], _with_payloads: bool) -> bytes:
    log = origin()
    return b"".join(
        orjson.dumps(to_ocsf(_fields(entry), log=log), option=orjson.OPT_APPEND_NEWLINE) for entry in entries
    )


def _fields(entry: StoredEntry) -> dict[str, Any]:
    return {"index": entry.index, "time": format_time(entry.time), "kind": entry.kind, **header_of(entry)}
