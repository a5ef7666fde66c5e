"""The tree against RFC 6962's reference vectors, and against the definition written down naively."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

REFERENCE_INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
REFERENCE_LEAVES = [leaf_hash(entry) for entry in REFERENCE_INPUTS]
SIZES = st.integers(1, 70)


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4)) for number in range(count)]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_equal_the_reference_vectors(size: int):
    assert root_of(REFERENCE_LEAVES[:size]).hex() == REFERENCE_ROOTS[size]


def test_the_empty_tree_has_the_hash_of_nothing():
    assert Frontier().root() == EMPTY_ROOT


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)
def test_inclusion_proofs_equal_the_reference_vectors(index: int, size: int, proof: list[str]):
    assert [step.hex() for step in inclusion_proof(REFERENCE_LEAVES[:size], index)] == proof


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_consistency_proofs_equal_the_reference_vectors(old: int, new: int, proof: list[str]):
    assert [step.hex() for step in consistency_proof(REFERENCE_LEAVES[:new], old)] == proof


@given(SIZES)
def test_the_frontier_grows_to_the_naive_root(size: int):
    leaves = leaves_of(size)
    assert root_of(leaves) == naive_root(leaves)


@given(SIZES)
def test_a_frontier_survives_being_stored(size: int):
    frontier = Frontier()
    for leaf in leaves_of(size):
        frontier.append(leaf)
    assert Frontier.from_bytes(size, frontier.to_bytes()).root() == frontier.root()


@given(SIZES)
def test_the_peaks_cover_every_leaf_once(size: int):
    frontier = Frontier(size, [b"\x00" * 32] * size.bit_count())
    assert [leaf for start, end in frontier.ranges() for leaf in range(start, end)] == list(range(size))


@given(SIZES, st.data())
def test_every_leaf_proves_that_it_is_included(size: int, data: st.DataObject):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(leaves[index], index, size, inclusion_proof(leaves, index), naive_root(leaves))


@given(SIZES, st.data())
def test_a_proof_fails_for_any_other_leaf_place_or_step(size: int, data: st.DataObject):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(leaves, index), naive_root(leaves)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index) if size > 1 else st.just(size))
    assert not verify_inclusion(leaf_hash(b"another"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], other, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)


@given(SIZES, st.data())
def test_every_earlier_tree_proves_that_it_is_a_prefix(size: int, data: st.DataObject):
    leaves = leaves_of(size)
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old)
    assert verify_consistency(old, size, proof, naive_root(leaves[:old]), naive_root(leaves))


@given(st.integers(2, 70), st.data())
def test_a_rewritten_prefix_is_not_consistent(size: int, data: st.DataObject):
    leaves = leaves_of(size)
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [leaf_hash(b"rewritten") if at == changed else leaf for at, leaf in enumerate(leaves)]
    proof = consistency_proof(rewritten, old)
    assert not verify_consistency(old, size, proof, naive_root(leaves[:old]), naive_root(rewritten))


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.binary(min_size=32, max_size=32), max_size=6))
def test_made_up_proofs_are_false_and_do_not_raise(first: int, second: int, proof: list[bytes]):
    assert not verify_inclusion(b"\x01" * 32, first, second, proof, b"\x02" * 32)
    assert not verify_consistency(first, second, proof, b"\x01" * 32, b"\x02" * 32)


@pytest.mark.parametrize(("size", "packed"), [(1, b""), (0, b"\x00" * 32), (3, b"\x00" * 63), (-1, b"")])
def test_a_frontier_of_the_wrong_length_is_refused(size: int, packed: bytes):
    with pytest.raises(ValueError, match="peaks"):
        Frontier.from_bytes(size, packed)


def test_proofs_for_what_is_not_in_the_tree_are_refused():
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(leaves_of(3), 3)
    with pytest.raises(ValueError, match="1 to 3"):
        consistency_proof(leaves_of(3), 4)
