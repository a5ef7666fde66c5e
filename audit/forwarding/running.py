"""Working off one forwarder: read what comes next, send it, note that it was confirmed; again, until nothing is left.

`next` moves once the receiver has confirmed. Before a batch leaves, its end is noted in `sending`: after a crash that
very batch is sent once more, under the same delivery id and with the same bytes, and nothing else is.
"""

from __future__ import annotations

import http.client
import logging
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit.forwarding import administration
from audit.forwarding.batches import Batch, LogBroken, Selection, read_batch, read_range
from audit.forwarding.checks import file_path
from audit.forwarding.doors import Door
from audit.forwarding.errors import DeliveryFailed, ForwarderRefused, ReceiverGone
from audit.forwarding.files import DEFAULT_MOST_BYTES, FileDoor
from audit.forwarding.health import SECRETS_CLOSED
from audit.forwarding.syslog import SyslogDoor
from audit.forwarding.webhook import WebhookDoor
from audit.ledger import LedgerUnavailable
from audit.models import Forwarder, Head
from audit.plain import one_line
from audit.reading import ArchiveUnavailable
from audit.transparency.keys import KeyUnusable, origin
from identity.sealing import UnsealError

logger = logging.getLogger(__name__)

TURN_SECONDS = 30
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
LONGEST_PROBLEM = 500
LOCKS = 0x46775264
ACTOR = "forwarding"
FAILURES = (
    DeliveryFailed, LogBroken, ArchiveUnavailable, ForwarderRefused, KeyUnusable, OSError, http.client.HTTPException,
    ValueError, LookupError,
)  # fmt: skip


class NotOurs(Exception):
    """Paused, removed, or moved by somebody else meanwhile: this turn ends."""


def work(name: str, *, seconds: float = TURN_SECONDS) -> bool:
    """Sends what there is, for so long. Whether more is left to send at once; False too where another process is at it."""
    with _alone(name) as alone:
        forwarder = _fetch(name) if alone else None
        if forwarder is None or not forwarder.is_active:
            return False
        try:
            return _work(forwarder, time.monotonic() + seconds)
        except NotOurs:
            return False
        except ReceiverGone as error:
            _pause_for_good(forwarder, str(error))
        except FAILURES as error:
            _note_failure(forwarder, error)
        return False


def _work(forwarder: Forwarder, until: float) -> bool:
    selection = selection_of(forwarder)
    with closing(open_door(forwarder, selection)) as door:
        place = door.position(forwarder.next)
        _check_place(place)
        if place != forwarder.next:
            logger.warning(
                "Forwarder %s goes on at entry %d, not %d: so its file says", forwarder.name, place, forwarder.next
            )
            _move(forwarder, next=place, sending=None)
        while batch := _next_batch(forwarder, selection, door):
            _deliver(forwarder, batch, door)
            if time.monotonic() >= until:
                return True
    return False


def _check_place(place: int) -> None:
    if place > (size := _size()):
        raise DeliveryFailed(
            f"the receiver has entries up to {place - 1}, this ledger only {size}: it is another ledger's, or entries are"
            " gone. Run `manage.py ledger verify`"
        )


def _next_batch(forwarder: Forwarder, selection: Selection, door: Door) -> Batch | None:
    size = _size()
    if forwarder.sending is not None and forwarder.next < forwarder.sending <= size:
        return read_range(forwarder.next, forwarder.sending, selection)
    if forwarder.next >= size:
        return None
    return read_batch(forwarder.next, size, selection, most_lines=door.most_lines, most_bytes=door.most_bytes)


def _deliver(forwarder: Forwarder, batch: Batch, door: Door) -> None:
    if batch.lines:
        if forwarder.sending != batch.end:
            _move(forwarder, next=batch.first, sending=batch.end)
        door.send(batch)
        _move(forwarder, next=batch.end, sending=None, **_WELL, delivered_at=timezone.now())
    else:
        _move(forwarder, next=batch.end, sending=None, **_WELL)
    forwarder.failures = 0


_WELL: dict[str, Any] = {"failures": 0, "problem": "", "retry_at": None}


def _move(forwarder: Forwarder, *, next: int, sending: int | None, **changes: Any) -> None:
    """Guarded by where this process believes the forwarder to be: one that lost its lock moves nothing."""
    there = Forwarder.objects.filter(
        name=forwarder.name,
        kind=forwarder.kind,
        address=forwarder.address,
        next=forwarder.next,
        sending=forwarder.sending,
    )
    # What was confirmed counts also when somebody has paused it meanwhile; nothing new is begun then.
    if not (there if sending is None else there.filter(is_active=True)).update(next=next, sending=sending, **changes):
        raise NotOurs(forwarder.name)
    forwarder.next, forwarder.sending = next, sending


def selection_of(forwarder: Forwarder) -> Selection:
    return Selection(origin(), forwarder.config.get("form", "entry"), frozenset(forwarder.config.get("kinds", ())))


def open_door(forwarder: Forwarder, selection: Selection) -> Door:
    config = forwarder.config
    if forwarder.kind == "syslog":
        host = str(urlsplit(settings.PUBLIC_URL).hostname)
        return SyslogDoor(forwarder.address, config, log=selection.log, host=host)
    if forwarder.kind == "webhook":
        return WebhookDoor(forwarder.address, config, config["secrets"], log=selection.log, forwarder=forwarder.name)
    most = config.get("most_bytes") or DEFAULT_MOST_BYTES
    return FileDoor(file_path(forwarder.address), selection.form, most_file_bytes=most, keeps_all=not selection.kinds)


# --- Failures -----------------------------------------------------------------------------------------------------


def pause_after(failures: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds until the next try: 1, 2, 4, … up to 300, each up to a quarter shorter, so that many do not try at once."""
    longest: float = min(FIRST_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)
    return longest * (1 - chance() / 4)


def _note_failure(forwarder: Forwarder, error: Exception) -> None:
    problem, failures = _words(error), forwarder.failures + 1
    retry_at = timezone.now() + timedelta(seconds=pause_after(failures))
    Forwarder.objects.filter(pk=forwarder.pk, is_active=True).update(
        failures=failures, problem=problem[:LONGEST_PROBLEM], retry_at=retry_at
    )
    logger.warning("Forwarder %s stands at entry %d: %s", forwarder.name, forwarder.next, problem)


def _pause_for_good(forwarder: Forwarder, problem: str) -> None:
    logger.warning("Forwarder %s is paused at entry %d: %s", forwarder.name, forwarder.next, problem)
    try:
        administration.switch(forwarder.name, active=False, actor=ACTOR, reason=problem[:LONGEST_PROBLEM])
    except LedgerUnavailable as error:
        _note_failure(forwarder, DeliveryFailed(f"{problem}; that cannot be recorded yet: {error}"))
    except ForwarderRefused:
        return


def _words(error: Exception) -> str:
    """One line, without the number that the system has for it."""
    if isinstance(error, TimeoutError) and str(error) in ("", "timed out"):
        return "the receiver did not answer in time"
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return one_line(text).rstrip(".") or type(error).__name__


# --- One process at a time ----------------------------------------------------------------------------------------


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Until it is done or its connection breaks. A process that lost its connection ends with its next statement."""
    key = [LOCKS, zlib.crc32(name.encode()) - 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", key)
        alone = bool(cursor.fetchone()[0])
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", key)


def _fetch(name: str) -> Forwarder | None:
    try:
        return Forwarder.objects.filter(name=name).first()
    except UnsealError as error:
        Forwarder.objects.filter(name=name).update(
            failures=1, problem=f"{SECRETS_CLOSED}: {error}"[:LONGEST_PROBLEM],
            retry_at=timezone.now() + timedelta(seconds=LONGEST_PAUSE),
        )  # fmt: skip
        logger.warning("Forwarder %s cannot be used, its secrets do not open: %s", name, error)
        return None


def _size() -> int:
    return int(Head.objects.values_list("size", flat=True).get(id=1))
