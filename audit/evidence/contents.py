"""What goes into a bundle: the entries that were asked for, and those without which they would mislead."""

from __future__ import annotations

import heapq
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from audit.intents import open_intents
from audit.merkle import leaf_hash
from audit.models import Entry, Payload
from audit.reading import StoredEntry, StoredPayload, entries_between
from audit.search import EntryFilter, matching_indexes

AT_ONCE = 500


class EvidenceIncomplete(Exception):
    """An entry that belongs into the bundle is not in the log as it must be. Says which, and what to do."""

    def __init__(self, index: int, what: str) -> None:
        super().__init__(f"entry {index} {what}. Run `manage.py ledger verify` to see what happened to the log.")


@dataclass(frozen=True, slots=True)
class Context:
    """Indexes of entries that say what a reader of the range must know: what was erased or moved since, what is open."""

    erasures: list[int]
    archives: list[int]
    open_intents: list[int]

    @property
    def indexes(self) -> list[int]:
        return sorted({*self.erasures, *self.archives, *self.open_intents})


def context_of(first: int, end: int, size: int) -> Context:
    """Erasures and archives from the range on to the end of the log; intents of the range that nothing closed in it."""
    intents = [intent.index for intent in open_intents(first, end, until=size)]
    return Context(_of_kind("subject.erased", first, size), _of_kind("ledger.pruned", first, size), intents)


def _of_kind(kind: str, first: int, end: int) -> list[int]:
    return list(chain.from_iterable(matching_indexes(EntryFilter(kind=kind), first, end)))


class Indexes:
    """What is in the bundle, in order, kept on disk: it is gone through several times. Holds no content."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self.selected = 0

    def keep(self, selected: Iterable[int], context: Sequence[int]) -> Iterator[tuple[int, bool]]:
        """Each with whether it is there as context only."""
        merged = heapq.merge(((index, False) for index in selected), ((index, True) for index in context))
        last = -1
        for index, is_context in merged:
            if index == last:
                continue
            last = index
            self.selected += not is_context
            self._file.write((index * 2 + is_context).to_bytes(8, "little"))
            yield index, is_context

    def again(self) -> Iterator[tuple[int, bool]]:
        self._file.seek(0)
        while packed := self._file.read(8 * 4096):
            for number in array("q", packed):
                yield number >> 1, bool(number & 1)

    def close(self) -> None:
        self._file.close()


def read_entries(
    indexes: Iterable[tuple[int, bool]], *, with_payloads: bool = False
) -> Iterator[tuple[StoredEntry, bool]]:
    """The entries in the order of the indexes, wherever they are kept. Raises `EvidenceIncomplete`."""
    waiting = iter(indexes)
    while some := list(islice(waiting, AT_ONCE)):
        wanted = [index for index, _ in some]
        found = _read(wanted, with_payloads=with_payloads)
        for index, is_context in some:
            entry = found.get(index)
            if entry is None:
                raise EvidenceIncomplete(index, "is missing")
            if leaf_hash(entry.header) != entry.leaf:
                raise EvidenceIncomplete(index, "was changed: its header does not hash to its leaf")
            yield entry, is_context


def _read(wanted: list[int], *, with_payloads: bool) -> dict[int, StoredEntry]:
    if wanted[-1] - wanted[0] < 2 * len(wanted):
        return {entry.index: entry for entry in _between(wanted, with_payloads=with_payloads)}
    live = _live(wanted, with_payloads=with_payloads)
    lacking = [index for index in wanted if index not in live]
    return live | {entry.index: entry for entry in _between(lacking, with_payloads=with_payloads)}


def _between(wanted: list[int], *, with_payloads: bool) -> Iterator[StoredEntry]:
    if wanted:
        among = frozenset(wanted)
        entries = entries_between(wanted[0], wanted[-1] + 1, with_payloads=with_payloads)
        yield from (entry for entry in entries if entry.index in among)


def _live(wanted: list[int], *, with_payloads: bool) -> dict[int, StoredEntry]:
    payloads = {
        payload.index: StoredPayload(payload.key, bytes(payload.nonce), bytes(payload.ciphertext))
        for payload in (Payload.objects.filter(index__in=wanted) if with_payloads else ())
    }
    return {
        entry.index: StoredEntry(
            entry.index, entry.time, entry.kind, bytes(entry.header), bytes(entry.leaf), payloads.get(entry.index)
        )
        for entry in Entry.objects.filter(index__in=wanted)
    }
