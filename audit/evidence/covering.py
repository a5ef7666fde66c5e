"""Which hashes prove that some entries are in the tree: those of the parts that hold none of them, left to right.

Whoever has the entries goes down the tree and takes one hash for each part without any (`countersign_verify.fold`). For
a range of entries these are a few hashes at its two sides; for a selection, neighbours share what they can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from audit.transparency.proofs import Span, span_roots

_AT_ONCE = 256


def spans_without(indexes: Iterable[int], size: int) -> Iterator[Span]:
    """The largest sub-trees of `size` leaves that have none of the indexes, which ascend."""
    disclosed = iter(indexes)
    following = next(disclosed, None)
    waiting = [(0, size)]
    while waiting:
        start, end = waiting.pop()
        if following is None or following >= end:
            yield start, end
        elif end - start == 1:
            following = next(disclosed, None)
        else:
            middle = start + (1 << (end - start - 1).bit_length() - 1)
            waiting += [(middle, end), (start, middle)]


def hashes_without(indexes: Iterable[int], size: int) -> Iterator[bytes]:
    spans = spans_without(indexes, size)
    while some := list(islice(spans, _AT_ONCE)):
        roots = span_roots(some, size)
        yield from (roots[span] for span in some)
