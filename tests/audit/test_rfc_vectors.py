"""The reference tree of Certificate Transparency (RFC 6962, RFC 9162): eight leaves, with all published hashes."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from audit import merkle
from audit.transparency import proofs, tiles

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
# Nodes by height: leaves, pairs, fours, eight.
NODES = [
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    ],
    [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    ],
    [
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    ["5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
]
ROOTS = [
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
LEAVES, PAIRS, FOURS = NODES[:3]
# (index, size) and the published proof
INCLUSION = [
    (0, 1, []),
    (0, 8, [LEAVES[1], PAIRS[1], FOURS[1]]),
    (5, 8, [LEAVES[4], PAIRS[3], FOURS[0]]),
    (2, 3, [PAIRS[0]]),
    (1, 5, [LEAVES[0], PAIRS[1], LEAVES[4]]),
    (3, 8, [LEAVES[2], PAIRS[0], FOURS[1]]),
    (7, 8, [LEAVES[6], PAIRS[2], FOURS[0]]),
    (4, 7, [LEAVES[5], LEAVES[6], FOURS[0]]),
    (6, 7, [PAIRS[2], FOURS[0]]),
]
# (from, to) and the published proof
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [LEAVES[1], PAIRS[1], FOURS[1]]),
    (6, 8, [PAIRS[2], PAIRS[3], FOURS[0]]),
    (2, 5, [PAIRS[1], LEAVES[4]]),
]


@pytest.fixture
def reference_log(control_db: str) -> None:
    """The eight leaves as the log: what they hash is not a header of ours, and proofs do not mind."""
    frontier = merkle.Frontier()
    with transaction.atomic(), connection.cursor() as cursor:
        for index, text in enumerate(INPUTS):
            header = bytes.fromhex(text)
            frontier.append(merkle.leaf_hash(header))
            cursor.execute(
                "INSERT INTO audit_entry (index, time, kind, header, leaf) VALUES (%s, now(), 'reference', %s, %s)",
                [index, header, merkle.leaf_hash(header)],
            )
        cursor.execute("UPDATE audit_head SET size = 8, frontier = %s WHERE id = 1", [frontier.to_bytes()])


@pytest.mark.parametrize(("place", "text"), list(enumerate(INPUTS)))
def test_leaves_hash_as_published(place: int, text: str):
    assert merkle.leaf_hash(bytes.fromhex(text)).hex() == LEAVES[place]


@pytest.mark.parametrize("height", [1, 2, 3])
def test_nodes_hash_as_published(height: int):
    below = [bytes.fromhex(text) for text in NODES[height - 1]]
    pairs = zip(below[::2], below[1::2], strict=True)
    assert [merkle.node_hash(left, right).hex() for left, right in pairs] == NODES[height]


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS)))
def test_roots_of_the_log_are_as_published(reference_log: None, size: int, root: str):
    assert proofs.root_at(size).hex() == root


@pytest.mark.parametrize(("index", "size", "published"), INCLUSION)
def test_inclusion_proofs_of_the_log_are_as_published(reference_log: None, index: int, size: int, published: list[str]):
    proof = proofs.inclusion(index, size)
    assert [one.hex() for one in proof.hashes] == published
    assert proof.root.hex() == ROOTS[size]
    assert merkle.verify_inclusion(proof.leaf, index, size, proof.hashes, proof.root)


@pytest.mark.parametrize(("old", "new", "published"), CONSISTENCY)
def test_consistency_proofs_of_the_log_are_as_published(reference_log: None, old: int, new: int, published: list[str]):
    proof = proofs.consistency(old, new)
    assert [one.hex() for one in proof.hashes] == published
    assert (proof.old_root.hex(), proof.new_root.hex()) == (ROOTS[old], ROOTS[new])
    assert merkle.verify_consistency(old, new, proof.hashes, proof.old_root, proof.new_root)


def test_every_proof_of_the_reference_tree_verifies_and_no_changed_one_does(reference_log: None):
    for size in range(1, 9):
        for index in range(size):
            proof = proofs.inclusion(index, size)
            arguments = proof.leaf, index, size
            assert merkle.verify_inclusion(*arguments, proof.hashes, bytes.fromhex(ROOTS[size]))
            for place in range(len(proof.hashes)):
                changed = [*proof.hashes]
                changed[place] = bytes([changed[place][0] ^ 1]) + changed[place][1:]
                assert not merkle.verify_inclusion(*arguments, changed, proof.root)
            assert not merkle.verify_inclusion(*arguments, [*proof.hashes, proof.root], proof.root)
            assert not merkle.verify_inclusion(*arguments, proof.hashes, bytes.fromhex(ROOTS[size - 1]))


def test_the_tile_and_the_bundle_of_the_reference_tree(reference_log: None):
    assert tiles.tile(0, 0, 8).hex() == "".join(LEAVES)
    packed = [bytes.fromhex(text) for text in INPUTS]
    assert tiles.entry_bundle(0, 8) == b"".join(len(one).to_bytes(2) + one for one in packed)
