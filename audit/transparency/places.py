"""Places that keep checkpoints and nothing else: a directory, an S3-compatible store.

    checkpoint           the newest that was given
    checkpoints/SIZE     each one that was given; never written twice

A place does not judge: so what it holds is read before anything is written, and if this log is not how that history goes
on, nothing is written. Such a place is of use if those who run this log cannot delete there what they wrote.
"""

from __future__ import annotations

from audit.models import Checkpoint
from audit.transparency import checkpoints, keys
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.heads import TreeHead, parse_checkpoint
from audit.transparency.notes import NoteError, parse, verify
from audit.transparency.stores import NEWEST, Place, WitnessError


class OtherHistory(WitnessError):
    """The witness knows another history than this log's. That is what witnesses are for: find out who changed what."""


def keep(place: Place, checkpoint: Checkpoint, given: int) -> None:
    """Adds a checkpoint; `given` is the size of the last one that the place has taken. Raises `WitnessError`, `OSError`."""
    ours = checkpoints.head_of(checkpoint)
    newest = place.read(NEWEST)
    if newest is None and given:
        raise WitnessError(
            f"the place is empty, but was given a checkpoint of {given} entries: somebody emptied it, or it is another"
            " place. Put back what was there, or remove this witness and add the place as a new one."
        )
    known = None if newest is None else _agreeing(newest, ours)
    if known is not None and known.size > ours.size:
        return
    copy = f"checkpoints/{ours.size}"
    kept = place.read(copy)
    if kept is None:
        place.write(copy, checkpoints.note_of(checkpoint).encode())
    else:
        _agreeing(kept, ours)
    if known is None or known.size < ours.size:
        place.write(NEWEST, checkpoints.note_of(checkpoint).encode())


def _agreeing(content: bytes, ours: TreeHead) -> TreeHead:
    """What the place holds, once it is known to be of this log's history. Raises `OtherHistory`."""
    try:
        note = parse(content.decode())
        theirs = parse_checkpoint(note.text)
        checkpoints.require_agreement(theirs, ours)
        verify(note, keys.verifier_keys())
    except (NoteError, UnicodeDecodeError) as error:
        raise OtherHistory(
            f"the place holds something that this log never signed, nothing was written: {error}"
        ) from error
    except HistoryDiffers as error:
        raise OtherHistory(f"the place knows another history, nothing was written: {error}") from error
    return theirs
