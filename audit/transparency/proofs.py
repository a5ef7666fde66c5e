"""Proofs that an entry is in the log, and that the log only grew (RFC 9162, sections 2.1.3 and 2.1.4).

A proof is a list of roots of sub-trees. Which ones follows from the sizes alone (`inclusion_path`, `consistency_path`);
their hashes come out of at most two tiles per level. So a proof costs the same few reads in a log of any size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.merkle import EMPTY_ROOT, HASH_SIZE, node_hash, verify_consistency, verify_inclusion
from audit.transparency.tiles import (
    HEIGHT,
    WIDTH,
    Address,
    LogDamaged,
    NotInLog,
    bring_up_to_date,
    read,
    subtree_root,
)

Span = tuple[int, int]  # from one leaf to before another


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """`hashes` lead from `leaf`, the entry at `index`, to `root`, that of the first `size` entries; lowest first."""

    index: int
    size: int
    leaf: bytes
    root: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """`hashes` show that the log with `new_root` begins with the log that had `old_root`."""

    old_size: int
    new_size: int
    old_root: bytes
    new_root: bytes
    hashes: tuple[bytes, ...]


def inclusion(index: int, size: int | None = None) -> InclusionProof:
    """In the log of `size` entries; without one, in the log as it is now. Raises `NotInLog`, `LogDamaged`."""
    size = _known_size(size)
    if not 0 <= index < size:
        raise NotInLog(f"entry {index} is not among the first {size} entries of the log")
    path = inclusion_path(index, size)
    own, whole = (index, index + 1), (0, size)
    roots = span_roots([own, whole, *path], size)
    proof = InclusionProof(index, size, roots[own], roots[whole], tuple(roots[span] for span in path))
    if not verify_inclusion(proof.leaf, index, size, proof.hashes, proof.root):
        raise LogDamaged(f"the tiles do not prove entry {index}: their hashes contradict each other")
    return proof


def consistency(old_size: int, new_size: int | None = None) -> ConsistencyProof:
    """Without a new size, with the log as it is now. Raises `NotInLog`, `LogDamaged`, `ValueError` for no old size."""
    new_size = _known_size(new_size)
    if old_size < 1:
        raise ValueError("every log begins with the empty one: there is nothing to prove from size 0")
    if old_size > new_size:
        raise NotInLog(f"a log of {new_size} entries cannot begin with one of {old_size}")
    path = consistency_path(old_size, new_size)
    old, new = (0, old_size), (0, new_size)
    roots = span_roots([old, new, *path], new_size)
    proof = ConsistencyProof(old_size, new_size, roots[old], roots[new], tuple(roots[span] for span in path))
    if not verify_consistency(old_size, new_size, proof.hashes, proof.old_root, proof.new_root):
        raise LogDamaged(f"the tiles do not prove size {new_size} from {old_size}: their hashes contradict each other")
    return proof


def root_at(size: int | None = None) -> bytes:
    """The root that the log had when it had `size` entries."""
    size = _known_size(size)
    return span_roots([(0, size)], size)[0, size] if size else EMPTY_ROOT


def _known_size(size: int | None) -> int:
    there = bring_up_to_date()
    if size is not None and not 0 <= size <= there:
        raise NotInLog(f"the log has {there} entries, not {size}")
    return there if size is None else size


# --- Which sub-trees ----------------------------------------------------------------------------------------------


def inclusion_path(index: int, size: int) -> list[Span]:
    """The neighbours on the way from a leaf to the root of `size` leaves, lowest first."""
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old_size: int, new_size: int) -> list[Span]:
    """The sub-trees that make up the first `old_size` of `new_size` leaves and those that came after, lowest first.

    What is whole of the old tree is left out where it is all of it: who verifies knows that root.
    """
    start, end, path = 0, new_size, []
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return [*([(start, end)] if start else []), *path[::-1]]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


# --- Their hashes -------------------------------------------------------------------------------------------------

Node = tuple[int, int]  # height, and place among the perfect sub-trees of that height


def span_roots(spans: Iterable[Span], size: int) -> dict[Span, bytes]:
    """The roots of sub-trees, all of them within the first `size` entries, which must be in tiles or live.

    A span begins at a multiple of the smallest power of two that is not below its length, as all in a tree do.
    """
    wanted = {span: _perfect(*span) for span in spans}
    tiles = read({_place(node)[0] for nodes in wanted.values() for node in nodes}, size)
    return {span: _fold([_hash_of(node, tiles) for node in nodes]) for span, nodes in wanted.items()}


def _perfect(start: int, end: int) -> list[Node]:
    """The perfect sub-trees of a span, largest first."""
    nodes = []
    for height in reversed(range((end - start).bit_length())):
        if (end - start) >> height & 1:
            nodes.append((height, start >> height))
            start += 1 << height
    return nodes


def _place(node: Node) -> tuple[Address, int, int]:
    """The tile that a perfect sub-tree is in, and which of its hashes are the lowest ones there: first and count."""
    height, place = node
    level, above = divmod(height, HEIGHT)
    first = place << above
    return (level, first // WIDTH), first % WIDTH, 1 << above


def _hash_of(node: Node, tiles: Mapping[Address, bytes]) -> bytes:
    address, first, count = _place(node)
    return subtree_root(tiles[address][first * HASH_SIZE : (first + count) * HASH_SIZE])


def _fold(hashes: list[bytes]) -> bytes:
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root
