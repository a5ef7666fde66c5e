"""What places outside remember, asked before this process signs for the first time: a backup that was put back brings its
older checkpoints along, and nothing in it tells that the log once was longer."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import F

from audit.models import Witness
from audit.plain import one_line
from audit.transparency.heads import TreeHead, parse_checkpoint
from audit.transparency.notes import parse
from audit.transparency.stores import KINDS, NEWEST, WitnessError, place_of
from identity.sealing import UnsealError

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 300.0
FAILURES = (WitnessError, UnsealError, OSError, ValueError, LookupError)


@dataclass(slots=True)
class _Asked:
    """By this process. `until`: the monotonic time at which a place is asked again; `size`: the newest known checkpoint."""

    size: int = 0
    until: dict[tuple[str, str], float] = field(default_factory=dict)


_asked = _Asked()


def heads_outside(origin: str, newest: int) -> Iterator[tuple[Witness, TreeHead]]:
    """What active witnesses hold that were not asked yet, or that know more than the `newest` stored checkpoint.

    A witness whose head the caller does not agree to, and raises, is asked again the next time. One that cannot be read
    is passed over for a while: whether the log can be signed must not hang on it.
    """
    if newest < _asked.size:
        _asked.until.clear()
    _asked.size = newest
    for witness in Witness.objects.filter(is_active=True, kind__in=KINDS):
        key = witness.name, witness.address
        if witness.size <= newest and time.monotonic() < _asked.until.get(key, -math.inf):
            continue
        try:
            head = _read(witness, origin)
        except FAILURES as error:
            logger.warning("Witness %s was not compared with before signing: %s", witness.name, one_line(str(error)))
            _asked.until[key] = time.monotonic() + AGAIN_SECONDS
            continue
        if head is not None:
            yield witness, head
        _asked.until[key] = math.inf


def _read(witness: Witness, origin: str) -> TreeHead | None:
    """Whoever signed it: a backup of before a rotation does not know the key that signed what came after."""
    content = place_of(witness).read(NEWEST)
    if content is None:
        return None
    head = parse_checkpoint(parse(content.decode()).text)
    if head.origin != origin:
        raise WitnessError(f"it holds a checkpoint of another log, {head.origin}")
    return head


def note_disagreement(witness: Witness, problem: str) -> None:
    """For the page and the list of witnesses."""
    Witness.objects.filter(pk=witness.pk).update(problem=problem, failures=F("failures") + 1, retry_at=None)
