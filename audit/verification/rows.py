"""One entry as stored, against what its header says. Pure: nothing here trusts a value to be what it should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from audit.entries import LARGEST_HEADER
from audit.following import COLUMNS, TERMS
from audit.merkle import leaf_hash
from audit.verification.findings import Fault

COMPARED = ("time", "kind")


@dataclass(frozen=True, slots=True)
class Payload:
    """`digest` is that of what is stored now."""

    key: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What the entry is found by. `terms` and `text_id` are hashes that only the database computes."""

    columns: Mapping[str, object]
    terms: frozenset[int]
    text_id: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored; `size` is the true length of a header that was too long to be read."""

    index: int
    columns: Mapping[str, object]
    header: bytes | None
    size: int | None
    leaf: bytes | None
    payload: Payload | None = None
    found: Found | None = None
    # Whether what entries are found by has taken this one yet.
    is_taken: bool = False


Header = dict[str, object]


def check_header(row: Row) -> Header | Fault:
    """The header, if it hashes to its leaf and is the one of this place, spelled in the one way that there is."""
    if row.header is None:
        return Fault(row.index, f"its header is {_length(row.size)}; a header has at most {LARGEST_HEADER} bytes")
    if leaf_hash(row.header) != row.leaf:
        return Fault(row.index, "its header does not hash to its leaf: one of the two was changed")
    try:
        header = orjson.loads(row.header)
        spelled = orjson.dumps(header, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, TypeError) as error:
        return Fault(row.index, f"its header cannot be read: {error}")
    if not isinstance(header, dict) or type(header.get("index")) is not int or header["index"] != row.index:
        return Fault(row.index, "its header was written for another place in the log")
    if spelled != row.header:
        return Fault(row.index, "its header is not spelled canonically: the ledger did not write it")
    return header


def _length(size: int | None) -> str:
    return "missing" if size is None else f"{size} bytes long"


def check_row(row: Row, header: Header) -> Fault | None:
    """Columns and payload, except that a payload is missing: that can be right (`lacks_payload`)."""
    for column in COMPARED:
        stored, recorded = row.columns.get(column), header.get(column)
        if stored != recorded:
            return _differs(row.index, column, stored, recorded)
    digest = header.get("payload_digest")
    if row.payload is None:
        return None
    if digest is None:
        return Fault(row.index, "it has a payload that was not recorded with it")
    if row.payload.digest != digest:
        return Fault(row.index, "its payload was changed: it does not hash to the digest in the header")
    if row.payload.key != header.get("payload_key"):
        return Fault(row.index, "its payload names another key than the header")
    return None


def lacks_payload(row: Row, header: Header) -> bool:
    return row.payload is None and header.get("payload_digest") is not None


# --- What it is found by --------------------------------------------------------------------------------------------


def check_found(row: Row, header: Header, hashes: Mapping[str, int]) -> Fault | None:
    """`hashes` holds the database's hash of each of `spelled(header)`."""
    found = row.found
    if found is None:
        return Fault(row.index, "it cannot be found by search: its row is missing there") if row.is_taken else None
    if not row.is_taken:
        return Fault(row.index, "search lists it, but has not come so far: the row was put there by hand")
    for column in (*COMPARED, *COLUMNS):
        stored, recorded = found.columns.get(column), header.get(column)
        if stored != recorded or type(recorded) is bool:
            return _differs(row.index, column, stored, recorded, " in search")
    terms = {hashes.get(term) for term in terms_of(header)}
    if terms != found.terms:
        return Fault(row.index, "the relations, classes or policies that it is found by are not those of the header")
    return _check_text(row, found, header.get("sql_normal"), hashes)


def _check_text(row: Row, found: Found, text: object, hashes: Mapping[str, int]) -> Fault | None:
    # Of two texts with one hash only the first is kept: the second is right if the hash is its own.
    recorded = hashes.get(text) if isinstance(text, str) else None
    if found.text_id != recorded or (recorded is not None and hashes.get(found.text or "") != recorded):
        return Fault(row.index, "the text that it is found by is not that of the header")
    return None


def terms_of(header: Header) -> Iterator[str]:
    for field, prefix in TERMS.items():
        values = header.get(field)
        yield from (
            (f"{prefix}:{value}" for value in values or () if value is not None) if isinstance(values, list) else ()
        )


def spelled(row: Row, header: Header) -> Iterator[str]:
    """Everything whose hash `check_found` compares."""
    yield from terms_of(header)
    for text in (header.get("sql_normal"), row.found.text if row.found else None):
        if isinstance(text, str):
            yield text


def _differs(index: int, column: str, stored: object, recorded: object, where: str = "") -> Fault:
    return Fault(index, f"the column {column} says {_brief(stored)}{where}, the header says {_brief(recorded)}")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
