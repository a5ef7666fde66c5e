"""The log as C2SP tlog-tiles: the tree's hashes, 256 to a tile, and the entries, 256 to a bundle.

    tile L/N    hashes of height 8 * L, those from 256 * N on: level 0 are leaves, each level above the roots of the
                tiles below it

Full tiles are stored, each with its root; they never change. What is at the right edge is put together from the level
below. So any hash of the tree is a few rows away, also of entries that were moved to archives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from audit.merkle import HASH_SIZE
from audit.models import Head
from audit.reading import entries_between

WIDTH = 256
HEIGHT = 8
LEVELS = 8  # 256 ** 8 entries are more than an index can count
# Tiles that are written in one transaction.
MOST_AT_ONCE = 128

Address = tuple[int, int]  # level and number


class NotInLog(LookupError):
    """Asked for something past the end of the log. The message says how far it goes."""


class LogDamaged(Exception):
    """The tables contradict each other: something was removed or changed. The message says what, and what to do."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}. Run `manage.py ledger verify` to see what is wrong.")


# --- Making -------------------------------------------------------------------------------------------------------

_POSITION = f"""
SELECT size, ARRAY(
    SELECT coalesce((SELECT max(number) + 1 FROM audit_tile WHERE level = wanted), 0)
    FROM generate_series(0, {LEVELS - 1}) AS wanted ORDER BY wanted
) FROM audit_head WHERE id = 1
"""  # noqa: S608  a constant
# What is not whole is left out, and missed afterwards.
_WHOLE = f"HAVING count(*) = {WIDTH} AND bool_and(octet_length({{0}}) = {HASH_SIZE}) ORDER BY 1"
_LEAVES = (
    f"SELECT index / {WIDTH}, string_agg(leaf, ''::bytea ORDER BY index) FROM audit_entry"  # noqa: S608
    f" WHERE index >= %(first)s::bigint * {WIDTH} AND index < %(end)s::bigint * {WIDTH} GROUP BY 1"
    f" {_WHOLE.format('leaf')}"
)
_ROOTS = (
    f"SELECT number / {WIDTH}, string_agg(root, ''::bytea ORDER BY number) FROM audit_tile"  # noqa: S608
    f" WHERE level = %(below)s AND number >= %(first)s::bigint * {WIDTH} AND number < %(end)s::bigint * {WIDTH}"
    f" GROUP BY 1 {_WHOLE.format('root')}"
)
_STORE = """
INSERT INTO audit_tile (level, number, hashes, root)
SELECT %(level)s, * FROM unnest(%(numbers)s::bigint[], %(hashes)s::bytea[], %(roots)s::bytea[])
ON CONFLICT DO NOTHING
"""


def bring_up_to_date() -> int:
    """Stores every full tile that is not stored yet; says how many entries the log has.

    Any number of processes may do it at the same time: all would write the same.
    """
    size, following = _position()
    for level, first in enumerate(following):
        end = size >> HEIGHT * (level + 1)
        for start in range(first, end, MOST_AT_ONCE):
            _make(level, start, min(start + MOST_AT_ONCE, end))
    return size


def first_live() -> int:
    """The first entry that is not in an archive."""
    return Head.objects.values_list("first", flat=True).get(id=1)


def _position() -> tuple[int, list[int]]:
    """How many entries the log has, and the first number of each level that is not stored."""
    with connection.cursor() as cursor:
        cursor.execute(_POSITION)
        row = cursor.fetchone()
    if row is None:
        raise LogDamaged("the ledger has no head")
    return row[0], row[1]


def _make(level: int, first: int, end: int) -> None:
    """Tiles `first` to before `end` of one level."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROOTS if level else _LEAVES, {"below": level - 1, "first": first, "end": end})
        made = [(number, bytes(hashes)) for number, hashes in cursor.fetchall()]
        numbers = [number for number, _ in made]
        if numbers != list(range(first, end)):
            lacking = next(number for number in range(first, end) if number not in numbers)
            raise LogDamaged(f"tile {level}/{lacking} cannot be made: what it is made of is not all there")
        hashes = [packed for _, packed in made]
        roots = [subtree_root(packed) for packed in hashes]
        cursor.execute(_STORE, {"level": level, "numbers": numbers, "hashes": hashes, "roots": roots})


def subtree_root(packed: bytes) -> bytes:
    """The root over hashes of one height, laid end to end; their number is a power of two."""
    while len(packed) > HASH_SIZE:
        pairs = range(0, len(packed), 2 * HASH_SIZE)
        packed = b"".join([sha256(b"\x01" + packed[at : at + 2 * HASH_SIZE]).digest() for at in pairs])
    return packed


def unpack(packed: bytes) -> list[bytes]:
    return [packed[at : at + HASH_SIZE] for at in range(0, len(packed), HASH_SIZE)]


# --- Reading ------------------------------------------------------------------------------------------------------

_FULL = (
    "SELECT level, number, hashes FROM audit_tile"
    " WHERE (level, number) IN (SELECT * FROM unnest(%s::smallint[], %s::bigint[]))"
)
_LEAVES_OF = "SELECT leaf FROM audit_entry WHERE index >= %s AND index < %s ORDER BY index"
_ROOTS_OF = "SELECT root FROM audit_tile WHERE level = %s AND number >= %s AND number < %s ORDER BY number"
_FULL_BETWEEN = "SELECT number, hashes FROM audit_tile WHERE level = 0 AND number >= %s AND number < %s ORDER BY number"


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes the tile has in a log of `size` entries."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - number * WIDTH))


def read(addresses: Iterable[Address], size: int) -> dict[Address, bytes]:
    """The hashes that those tiles have in a log of `size` entries. `bring_up_to_date` must have been there."""
    wanted = sorted(set(addresses))
    with connection.cursor() as cursor:
        cursor.execute(_FULL, [[level for level, _ in wanted], [number for _, number in wanted]])
        full = {(level, number): bytes(hashes) for level, number, hashes in cursor.fetchall()}
        found = {address: full.get(address) or _edge(cursor, *address, size) for address in wanted}
    for (level, number), packed in found.items():
        if len(packed) < width_at(level, number, size) * HASH_SIZE:
            raise LogDamaged(f"tile {level}/{number} is not all there in a log of {size} entries")
    return {address: packed[: width_at(*address, size) * HASH_SIZE] for address, packed in found.items()}


def _edge(cursor: CursorWrapper, level: int, number: int, size: int) -> bytes:
    """A tile that is not full yet."""
    first = number * WIDTH
    span = [first, first + width_at(level, number, size)]
    if level:
        cursor.execute(_ROOTS_OF, [level - 1, *span])
    else:
        cursor.execute(_LEAVES_OF, span)
    hashes = [bytes(one) for (one,) in cursor.fetchall()]
    if any(len(one) != HASH_SIZE for one in hashes):
        raise LogDamaged(f"tile {level}/{number} holds something that is not a hash")
    return b"".join(hashes)


def tile(level: int, number: int, width: int = WIDTH) -> bytes:
    """The first `width` hashes of a tile. Raises `NotInLog` while the log has not got so many."""
    size = bring_up_to_date()
    _check_width(width, width_at(level, number, size), f"tile {level}/{number}", size)
    return read([(level, number)], size)[level, number][: width * HASH_SIZE]


def entry_bundle(number: int, width: int = WIDTH) -> bytes:
    """The headers of `width` entries from 256 * `number` on, each after its length in two bytes, archived ones too."""
    size = _position()[0]
    _check_width(width, width_at(0, number, size), f"bundle {number}", size)
    first = number * WIDTH
    headers = [entry.header for entry in entries_between(first, first + width)]
    if len(headers) != width:
        raise LogDamaged(f"entries {first} to {first + width - 1} are not all there")
    return b"".join(len(header).to_bytes(2) + header for header in headers)


def _check_width(width: int, there: int, what: str, size: int) -> None:
    if not 1 <= width <= WIDTH:
        raise ValueError(f"a tile has 1 to {WIDTH} hashes, not {width}")
    if width > there:
        raise NotInLog(f"{what} has {there} of the {width} that were asked for: the log has {size} entries")


def leaf_hashes(first: int, end: int) -> Iterator[bytes]:
    """The leaf hashes of entries `first` to before `end`, in order, archived ones too; with bounded memory."""
    size = bring_up_to_date()
    if not 0 <= first <= end <= size:
        raise NotInLog(f"entries {first} to before {end} are not all in the log: it has {size} entries")
    last_full = min(end, size // WIDTH * WIDTH)
    place = first
    while place < last_full:
        number = place // WIDTH
        stop = min(number + MOST_AT_ONCE, last_full // WIDTH + (last_full % WIDTH > 0))
        leaves = _leaves_of_full(number, stop)
        yield from leaves[place - number * WIDTH : end - number * WIDTH]
        place = min(stop * WIDTH, end)
    if place < end:
        number = place // WIDTH
        yield from unpack(read([(0, number)], size)[0, number])[place - number * WIDTH : end - number * WIDTH]


def _leaves_of_full(first: int, end: int) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(_FULL_BETWEEN, [first, end])
        rows = cursor.fetchall()
    if [number for number, _ in rows] != list(range(first, end)):
        raise LogDamaged(f"tiles 0/{first} to 0/{end - 1} are not all there")
    return [leaf for _, packed in rows for leaf in unpack(bytes(packed))]
