"""What the log gives to whoever checks it: the addresses of tiles, and proofs that lead to a signed checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass

from audit.models import Checkpoint
from audit.transparency import checkpoints, proofs
from audit.transparency.proofs import ConsistencyProof, InclusionProof
from audit.transparency.tiles import WIDTH, LogDamaged, NotInLog

_LEVEL = re.compile(r"0|[1-9][0-9]?")
# Six groups hold more numbers than a log can have.
_TILE = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
HIGHEST_LEVEL = 63


class NoSuchAddress(NotInLog):
    """Nothing is, or ever will be, at this address of a tile. The message says how addresses are written."""


@dataclass(frozen=True, slots=True)
class TileAddress:
    """Which tile of a level, or bundle of entries, and how much of it."""

    number: int
    width: int

    @property
    def is_full(self) -> bool:
        return self.width == WIDTH


def parse_tile(text: str) -> TileAddress:
    """C2SP tlog-tiles: `x001/x234/067` is number 1234067, `067.p/8` the first 8 of number 67. One way to write each."""
    match = _TILE.fullmatch(text)
    if match is None or text.startswith("x000/"):
        raise NoSuchAddress(
            f"{text[:80]!r} is not the address of a tile: numbers are written in groups of three digits, all but the"
            " last after an x, as in 067 or x001/x234/067"
        )
    width = int(match[2] or WIDTH)
    if match[2] and width >= WIDTH:
        raise NoSuchAddress(f"a tile in part has 1 to {WIDTH - 1} hashes, not {width}; leave .p/{width} out")
    return TileAddress(int(match[1].replace("x", "").replace("/", "")), width)


def parse_level(text: str) -> int:
    if not _LEVEL.fullmatch(text) or int(text) > HIGHEST_LEVEL:
        raise NoSuchAddress(f"{text[:80]!r} is not a level of tiles: levels are 0 to {HIGHEST_LEVEL}")
    return int(text)


# --- Proofs that lead to a checkpoint -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedInclusion:
    """`checkpoint` is the signed head that the proof leads to, if there is one of its size."""

    proof: InclusionProof
    checkpoint: Checkpoint | None


def signed_inclusion(index: int, size: int | None = None) -> SignedInclusion:
    """Without a size, in the latest checkpoint, which is signed now if the entry is newer."""
    checkpoint = _checkpoint_over(index + 1) if size is None else checkpoints.at(size)
    proof = proofs.inclusion(index, size if checkpoint is None else checkpoint.size)
    _compare(proof.size, proof.root, checkpoint)
    return SignedInclusion(proof, checkpoint)


def signed_consistency(old_size: int, new_size: int | None = None) -> ConsistencyProof:
    """Without a new size, with the latest checkpoint. Where sizes were signed, the roots are those that were signed."""
    checkpoint = _checkpoint_over(old_size) if new_size is None else checkpoints.at(new_size)
    proof = proofs.consistency(old_size, new_size if checkpoint is None else checkpoint.size)
    _compare(proof.new_size, proof.new_root, checkpoint)
    _compare(proof.old_size, proof.old_root, checkpoints.at(old_size))
    return proof


def _checkpoint_over(least: int) -> Checkpoint:
    """The newest one that there is, if it has that many entries."""
    newest = checkpoints.latest(fresh=False)
    return newest if newest.size >= least else checkpoints.latest()


def _compare(size: int, root: bytes, checkpoint: Checkpoint | None) -> None:
    """What contradicts a signed checkpoint is not given out as a proof."""
    if checkpoint is not None and bytes(checkpoint.root) != root:
        raise LogDamaged(f"the first {size} entries do not have the root that was signed")
