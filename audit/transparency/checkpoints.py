"""Signed heads of the log. Nothing is signed that does not extend what was signed before: a signed fork would be proof
against the log for ever, so a doubt is an error, never a signature."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from audit.merkle import EMPTY_ROOT, Frontier, verify_consistency
from audit.models import Checkpoint
from audit.transparency import asking, keys
from audit.transparency.heads import TreeHead, parse_checkpoint
from audit.transparency.notes import Note, NoteError, VerifierKey, parse, parse_signatures, sign, verify
from audit.transparency.proofs import consistency
from audit.transparency.tiles import LogDamaged, NotInLog

__all__ = [
    "HistoryDiffers", "TreeHead", "add_cosignature", "at", "check_head", "head_of", "latest", "note_of",
    "parse_checkpoint", "require_agreement",
]  # fmt: skip

_READ = """
SELECT head.size, head.frontier, newest.size, newest.root, newest.note
FROM audit_head AS head
LEFT JOIN LATERAL (SELECT * FROM audit_checkpoint ORDER BY size DESC LIMIT 1) AS newest ON true
WHERE head.id = 1
"""


class HistoryDiffers(Exception):
    """Two accounts of the log contradict each other: somebody changed history, or a backup was put back."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """The newest checkpoint, and which of the log's keys signed it."""

    head: TreeHead
    keys: tuple[VerifierKey, ...]


def latest(*, fresh: bool = True) -> Checkpoint:
    """The newest checkpoint; where the log has grown since, and unless an older one will do, the head is signed now.

    Raises `HistoryDiffers`, `KeyUnusable`.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is not None and (not fresh or _covers_head(newest)):
        return newest
    _ask_outside(0 if newest is None else newest.size)
    with keys.signing_alone():
        return _sign_head()


def at(size: int) -> Checkpoint | None:
    return Checkpoint.objects.filter(size=size).first()


def note_of(checkpoint: Checkpoint) -> str:
    """The signed note, with what witnesses have signed since."""
    return checkpoint.note + "".join(f"{line}\n" for line in checkpoint.cosignatures)


def head_of(checkpoint: Checkpoint) -> TreeHead:
    """What its note says. Raises `NoteError`."""
    return parse_checkpoint(parse(checkpoint.note).text)


def check_head() -> None:
    """Raises `HistoryDiffers` unless the log extends its newest checkpoint."""
    head, newest = _read()
    if newest is not None:
        require_agreement(newest.head, TreeHead(newest.head.origin, head.size, head.root()))


def require_agreement(one: TreeHead, other: TreeHead) -> None:
    """Both are this log's, at two times. Raises `HistoryDiffers` unless the shorter is how the longer began."""
    if one.origin != other.origin:
        raise HistoryDiffers(f"one is a checkpoint of {one.origin}, the other of {other.origin}")
    old, new = sorted((one, other), key=lambda head: head.size)
    if old.size == 0:
        agree = old.root == EMPTY_ROOT
    elif old.size == new.size:
        agree = old.root == new.root
    else:
        _require_reached(new.size)
        agree = _extends(old, new)
    if not agree:
        raise HistoryDiffers(f"the first {old.size} entries are not those that were signed at {old.size} entries")


_ADD_COSIGNATURE = """
UPDATE audit_checkpoint SET cosignatures = cosignatures || %(line)s::text
WHERE size = %(size)s AND NOT EXISTS (
    SELECT FROM unnest(cosignatures) AS line
    WHERE split_part(line, ' ', 2) = %(name)s
      AND substring(decode(split_part(line, ' ', 3), 'base64') FOR 4) = %(key)s
)
"""


def add_cosignature(checkpoint: Checkpoint, line: str) -> None:
    """Keeps a signature line that was verified before; one of the same key of a witness is enough."""
    [signature] = parse_signatures(line)
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_COSIGNATURE,
            {"line": line, "size": checkpoint.size, "name": signature.name, "key": signature.key_id},
        )
    checkpoint.refresh_from_db(fields=["cosignatures"])


def _covers_head(newest: Checkpoint) -> bool:
    head, signed = _read()
    if signed is None or not newest.size == signed.head.size == head.size:
        return False
    require_agreement(signed.head, TreeHead(signed.head.origin, head.size, head.root()))
    return True


def _extends(old: TreeHead, new: TreeHead) -> bool:
    """By a proof from the tiles, which are not trusted: it has to lead to both roots."""
    try:
        proof = consistency(old.size, new.size)
    except (LogDamaged, NotInLog) as error:
        raise HistoryDiffers(str(error)) from error
    return verify_consistency(old.size, new.size, proof.hashes, old.root, new.root)


def _read() -> tuple[Frontier, _Signed | None]:
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        row = cursor.fetchone()
    if row is None:
        raise HistoryDiffers("the ledger has no head: it was removed, or `manage.py migrate` has not run")
    size, frontier, signed_size, root, note = row
    try:
        head = Frontier.from_bytes(size, bytes(frontier))
    except ValueError as error:
        raise HistoryDiffers(f"the ledger's head was changed: {error}") from error
    newest = None if note is None else _check_stored(signed_size, bytes(root), note)
    if newest is not None and size < newest.head.size:
        raise HistoryDiffers(f"the log has {size} entries, but {newest.head.size} were signed: its end is gone")
    return head, newest


def _check_stored(size: int, root: bytes, note: str) -> _Signed:
    try:
        parsed: Note = parse(note)
        head = parse_checkpoint(parsed.text)
        signed_by = verify(parsed, keys.verifier_keys())
    except NoteError as error:
        raise HistoryDiffers(f"the stored checkpoint at {size} entries was changed: {error}") from error
    if (head.size, head.root) != (size, root):
        raise HistoryDiffers(f"the stored checkpoint at {size} entries was changed: its note says something else")
    return _Signed(head, tuple(one.key for one in signed_by))


def _require_reached(size: int) -> None:
    reached = _read()[0].size
    if size > reached:
        raise HistoryDiffers(f"the log has {reached} entries, but {size} were signed: its end is gone")


def _ask_outside(newest: int) -> None:
    """Raises `HistoryDiffers` if a witness holds what the log is not how it goes on from: signing would make a fork."""
    origin = keys.origin()
    for witness, theirs in asking.heads_outside(origin, newest):
        # Read after the witness was: what it was given meanwhile is in here.
        head, _ = _read()
        try:
            require_agreement(theirs, TreeHead(origin, head.size, head.root()))
        except HistoryDiffers as error:
            problem = f"it holds a checkpoint of {theirs.size} entries that this log does not go on from: {error}"
            asking.note_disagreement(witness, problem)
            raise HistoryDiffers(
                f"witness {witness.name}: {problem}. If a backup was put back, it is too old: put back a newer one."
                " `manage.py ledger verify --checkpoint` with what the witness holds says what differs. If what is missing"
                f" is lost for good, keep what the witness holds, and switch it off: `manage.py ledger witness off"
                f" {witness.name}`; only then is the log signed again"
            ) from error


def _sign_head() -> Checkpoint:
    """Behind the lock, so that what was checked is what is signed."""
    frontier, newest = _read()
    head = TreeHead(keys.origin(), frontier.size, frontier.root())
    if newest is not None:
        require_agreement(newest.head, head)
        if newest.head.size == head.size:
            return Checkpoint.objects.get(size=head.size)
    note = sign(str(head), keys.signers(newest.keys if newest else ()))
    Checkpoint.objects.bulk_create(
        [Checkpoint(size=head.size, root=head.root, note=note, time=timezone.now())], ignore_conflicts=True
    )
    keys.destroy_retired()
    stored = Checkpoint.objects.get(size=head.size)
    if bytes(stored.root) != head.root:
        raise HistoryDiffers(f"another checkpoint of {head.size} entries was signed at the same time")
    return stored
