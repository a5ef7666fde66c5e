"""Checkpoints: what is signed, that it is signed once, and that no fork is ever signed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from audit.models import Checkpoint, Entry, Head
from audit.transparency import checkpoints, keys
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.notes import parse, verify
from bench.filling import fill_log
from tests.audit.transparency.conftest import Grow, Tamper
from tests.audit.transparency.witness_server import Cosigner

pytestmark = pytest.mark.usefixtures("control_db")


def test_a_checkpoint_is_of_the_head_and_verifies(grow: Grow):
    size = grow(5)
    checkpoint = checkpoints.latest()
    assert verify(checkpoint.note, [keys.current_key().verifier])
    head = checkpoints.head_of(checkpoint)
    assert (head.origin, head.size) == (keys.origin(), size)
    assert head.root == Frontier.from_bytes(size, bytes(Head.objects.get().frontier)).root() == bytes(checkpoint.root)


def test_an_empty_log_has_a_checkpoint_that_any_log_extends(grow: Grow):
    assert bytes(checkpoints.latest().root) == EMPTY_ROOT
    assert checkpoints.latest().size == 0
    assert checkpoints.latest().size == 0
    grow()
    assert checkpoints.latest().size == 1


def test_a_log_that_has_not_grown_is_not_signed_again(grow: Grow):
    grow()
    assert checkpoints.latest().time == checkpoints.latest().time
    assert Checkpoint.objects.count() == 1


def test_an_older_checkpoint_will_do_where_it_need_not_be_fresh(grow: Grow):
    size = grow()
    checkpoints.latest()
    grow()
    assert checkpoints.latest(fresh=False).size == size
    assert checkpoints.latest().size == size + 1


def test_a_checkpoint_is_found_by_its_size(grow: Grow):
    size = grow(2)
    checkpoint = checkpoints.latest()
    assert checkpoints.at(size) == checkpoint
    assert checkpoints.at(1) is None


def test_signers_at_the_same_time_agree(grow: Grow):
    grow(3)

    def sign(_number: int) -> str:
        try:
            return checkpoints.latest().note
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(sign, range(8)))) == 1
    assert Checkpoint.objects.count() == 1


def test_checkpoints_of_a_log_of_many_tiles_extend_each_other(grow: Grow):
    for size in (255, 256, 700, 66_000):
        fill_log(size)
        assert checkpoints.latest().size == size


# --- No fork is signed --------------------------------------------------------------------------------------------


def rewrite(tamper: Tamper, index: int) -> None:
    """The whole log again with one entry changed: leaves, head, tiles; whoever reads only the tables finds it sound."""
    frontier = Frontier()
    for entry in Entry.objects.order_by("index"):
        header = bytes(entry.header)
        if entry.index == index:
            header = header.replace(b"agent:bot", b"agent:imp")
            tamper("UPDATE audit_entry SET header = %s, leaf = %s WHERE index = %s", (header, leaf_hash(header), index))
        frontier.append(leaf_hash(header))
    tamper("UPDATE audit_head SET frontier = %s", (frontier.to_bytes(),))
    tamper("DELETE FROM audit_tile")


def unsigned(grow: Grow) -> None:
    """Nothing was signed of what was refused."""
    grow()
    before = Checkpoint.objects.count()
    with pytest.raises(HistoryDiffers):
        checkpoints.latest()
    assert Checkpoint.objects.count() == before


def test_p6_a_rewritten_log_is_not_signed(grow: Grow, tamper: Tamper):
    grow(7)
    checkpoints.latest()
    rewrite(tamper, 3)
    with pytest.raises(HistoryDiffers, match="the first 7 entries are not those that were signed"):
        checkpoints.latest()
    unsigned(grow)


def test_p6_a_rewritten_log_of_many_tiles_is_not_signed(grow: Grow, tamper: Tamper):
    fill_log(700)
    checkpoints.latest()
    tamper("UPDATE audit_entry SET leaf = sha256('other') WHERE index = 300")
    tamper("DELETE FROM audit_tile")
    unsigned(grow)


def test_p6_a_log_whose_tail_was_cut_is_not_signed(grow: Grow, tamper: Tamper):
    grow(4)
    shorter = bytes(Head.objects.get().frontier)
    grow(3)
    checkpoints.latest()
    tamper("DELETE FROM audit_entry WHERE index >= 4")
    tamper("UPDATE audit_head SET size = 4, frontier = %s", (shorter,))
    with pytest.raises(HistoryDiffers, match="the log has 4 entries, but 7 were signed"):
        checkpoints.latest()
    with pytest.raises(HistoryDiffers, match="its end is gone"):
        checkpoints.check_head()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_checkpoint SET root = sha256('x')",
        "UPDATE audit_checkpoint SET note = replace(note, '/ledger', '/other')",
        "UPDATE audit_checkpoint SET note = ''",
        "UPDATE audit_checkpoint SET size = 3",
        "DELETE FROM audit_logkey",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET frontier = ''",
    ],
)
def test_p6_nothing_is_signed_on_a_changed_checkpoint_or_head(grow: Grow, tamper: Tamper, change: str):
    grow(2)
    checkpoints.latest()
    grow()
    tamper(change)
    with pytest.raises(HistoryDiffers):
        checkpoints.check_head()
    with pytest.raises(HistoryDiffers):
        checkpoints.latest()


def test_a_sound_log_passes_the_check(grow: Grow):
    checkpoints.check_head()
    grow(2)
    checkpoints.latest()
    grow()
    checkpoints.check_head()


# --- Cosignatures -------------------------------------------------------------------------------------------------


def test_cosignatures_follow_the_log_s_own_signature(grow: Grow):
    grow()
    checkpoint, cosigner = checkpoints.latest(), Cosigner()
    checkpoints.add_cosignature(checkpoint, str(cosigner.sign(parse(checkpoint.note).text)))
    note = checkpoints.note_of(Checkpoint.objects.get())
    assert len(verify(note, [keys.current_key().verifier, cosigner.verifier_key])) == 2


def test_a_witness_that_changed_its_key_under_its_name_cosigns_beside_its_old_key(grow: Grow):
    grow()
    checkpoint, old, new = checkpoints.latest(), Cosigner(), Cosigner()
    text = parse(checkpoint.note).text
    for cosigner in (old, new, old, new):
        checkpoints.add_cosignature(checkpoint, str(cosigner.sign(text)))
    assert checkpoint.cosignatures == [str(old.sign(text)), str(new.sign(text))]
    note = checkpoints.note_of(checkpoint)
    assert [len(verify(note, [one.verifier_key])) for one in (old, new)] == [1, 1]


def test_one_cosignature_of_a_witness_is_kept(grow: Grow):
    grow()
    checkpoint, cosigner = checkpoints.latest(), Cosigner()
    for seconds in (1_790_000_000, 1_790_000_001):
        checkpoints.add_cosignature(checkpoint, str(cosigner.sign("text\n", seconds)))
    assert checkpoint.cosignatures == [str(cosigner.sign("text\n", 1_790_000_000))]
