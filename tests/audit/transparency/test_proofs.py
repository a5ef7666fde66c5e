"""Proofs out of tiles, against the definition worked out from all leaves, and as somebody else verifies them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from audit import ledger, merkle
from audit.models import Entry, Head
from audit.transparency import proofs, tiles
from audit.transparency.tiles import LogDamaged, NotInLog
from bench.filling import fill_log

SIZES = st.integers(1, 2**40)


def all_leaves() -> list[bytes]:
    return [bytes(leaf) for leaf in Entry.objects.order_by("index").values_list("leaf", flat=True)]


def head_root() -> bytes:
    head = Head.objects.get(id=1)
    return merkle.Frontier.from_bytes(head.size, bytes(head.frontier)).root()


# --- Which sub-trees, pure ----------------------------------------------------------------------------------------


def roots_of(leaves: list[bytes], spans: list[proofs.Span]) -> list[bytes]:
    return [merkle.root_of(leaves[start:end]) for start, end in spans]


def test_inclusion_paths_are_those_of_the_definition_for_all_small_sizes():
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(34)]
    for size in range(1, 35):
        for index in range(size):
            path = roots_of(leaves, proofs.inclusion_path(index, size))
            assert path == merkle.inclusion_proof(leaves[:size], index)


def test_consistency_paths_are_those_of_the_definition_for_all_small_sizes():
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(34)]
    for size in range(1, 35):
        for old in range(1, size + 1):
            path = roots_of(leaves, proofs.consistency_path(old, size))
            assert path == merkle.consistency_proof(leaves[:size], old)


@given(st.data(), SIZES)
def test_a_path_is_no_longer_than_the_tree_is_high(data: st.DataObject, size: int):
    height = (size - 1).bit_length()
    assert len(proofs.inclusion_path(data.draw(st.integers(0, size - 1)), size)) <= height
    assert len(proofs.consistency_path(data.draw(st.integers(1, size)), size)) <= height + 1


# --- From a log ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("control_db")
def test_proofs_of_all_small_sizes_equal_the_definition():
    fill_log(20)
    leaves = all_leaves()
    for size in range(1, 21):
        root = merkle.root_of(leaves[:size])
        for index in range(size):
            proof = proofs.inclusion(index, size)
            assert list(proof.hashes) == merkle.inclusion_proof(leaves[:size], index)
            assert (proof.leaf, proof.root) == (leaves[index], root)
        for old in range(1, size + 1):
            grown = proofs.consistency(old, size)
            assert list(grown.hashes) == merkle.consistency_proof(leaves[:size], old)
            assert (grown.old_root, grown.new_root) == (merkle.root_of(leaves[:old]), root)


@pytest.mark.usefixtures("control_db")
def test_proofs_over_several_levels_of_tiles_equal_the_definition():
    fill_log(66_303)
    leaves, chance = all_leaves(), random.Random(7)
    edges = [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, 66_302, 66_303]
    for size in edges + [chance.randrange(1, 66_304) for _ in range(12)]:
        for index in {0, size - 1, size // 2, chance.randrange(size)}:
            assert list(proofs.inclusion(index, size).hashes) == merkle.inclusion_proof(leaves[:size], index)
        old = chance.randrange(1, size + 1)
        assert list(proofs.consistency(old, size).hashes) == merkle.consistency_proof(leaves[:size], old)


@pytest.mark.usefixtures("control_db")
def test_without_a_size_proofs_lead_to_the_head():
    fill_log(777)
    assert proofs.root_at() == head_root()
    inclusion, consistency = proofs.inclusion(300), proofs.consistency(300)
    assert merkle.verify_inclusion(inclusion.leaf, 300, 777, inclusion.hashes, head_root())
    assert merkle.verify_consistency(300, 777, consistency.hashes, proofs.root_at(300), head_root())


@pytest.mark.usefixtures("control_db")
def test_a_proof_covers_what_was_appended_just_before():
    fill_log(511)
    index = ledger.append("statement.denied", principal="agent:a").index
    assert proofs.inclusion(index).root == head_root()


@pytest.mark.usefixtures("control_db")
def test_the_empty_log_has_the_empty_root():
    assert proofs.root_at() == merkle.EMPTY_ROOT


@pytest.mark.usefixtures("control_db")
@pytest.mark.parametrize(("index", "size"), [(10, None), (5, 5), (-1, None), (0, 11), (0, 0), (0, -1)])
def test_an_entry_that_is_not_there_has_no_proof(index: int, size: int | None):
    fill_log(10)
    with pytest.raises(NotInLog):
        proofs.inclusion(index, size)


@pytest.mark.usefixtures("control_db")
@pytest.mark.parametrize(("old", "new"), [(11, None), (6, 5), (1, 11)])
def test_sizes_that_the_log_never_had_in_that_order_have_no_proof(old: int, new: int | None):
    fill_log(10)
    with pytest.raises(NotInLog):
        proofs.consistency(old, new)


@pytest.mark.usefixtures("control_db")
def test_there_is_nothing_to_prove_from_the_empty_log():
    fill_log(10)
    with pytest.raises(ValueError, match="size 0"):
        proofs.consistency(0)


@pytest.mark.usefixtures("control_db")
def test_proofs_of_archived_entries_need_their_tiles_only():
    fill_log(1000)
    before = proofs.inclusion(100)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_head SET first = 768 WHERE id = 1")
        cursor.execute("DELETE FROM audit_entry WHERE index < 768")
    assert proofs.inclusion(100) == before
    assert proofs.consistency(300).new_root == before.root
    assert len(list(tiles.leaf_hashes(0, 1000))) == 1000


@pytest.mark.usefixtures("control_db")
def test_tiles_that_contradict_each_other_prove_nothing():
    fill_log(66_000)
    tiles.bring_up_to_date()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE audit_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 1 FOR 32)"
            " WHERE (level, number) = (0, 3)"
        )
    with pytest.raises(LogDamaged, match=r"entry 768.*ledger verify"):
        proofs.inclusion(768)


@pytest.mark.usefixtures("control_db")
def test_every_head_that_was_seen_while_others_wrote_is_proved_a_prefix_of_the_last():
    fill_log(250)
    seen: dict[int, bytes] = {}
    with ThreadPoolExecutor(2) as threads:
        writers = [threads.submit(append_many, 150) for _ in range(2)]
        while not all(writer.done() for writer in writers):
            head = Head.objects.get(id=1)
            seen[head.size] = merkle.Frontier.from_bytes(head.size, bytes(head.frontier)).root()
            index = head.size - 1
            proof = proofs.inclusion(index, head.size)
            assert merkle.verify_inclusion(proof.leaf, index, head.size, proof.hashes, seen[head.size])
        for writer in writers:
            writer.result()
    for size, root in seen.items():
        grown = proofs.consistency(size)
        assert merkle.verify_consistency(size, 550, grown.hashes, root, head_root())


def append_many(count: int) -> None:
    for _ in range(count):
        ledger.append("statement.denied", principal="agent:a")


@pytest.mark.usefixtures("control_db")
def test_a_proof_takes_the_same_few_reads_in_a_short_log_and_a_long_one():
    def reads(index: int) -> int:
        tiles.bring_up_to_date()
        with CaptureQueriesContext(connection) as queries:
            proofs.inclusion(index)
        return len(queries)

    fill_log(300)
    short = reads(7)
    fill_log(66_000)
    assert reads(7) <= short + 1 <= 6
