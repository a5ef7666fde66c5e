"""Records refused credentials without letting whoever shows them fill the log.

The first refusal of a credential for a reason is recorded before it is answered; those that follow within a minute are
counted, and one entry tells how many. Tokens that are nobody's are counted together: whoever tries makes up the prefixes.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from audit import ledger
from audit.entries import format_time
from audit.ledger import LedgerUnavailable

logger = logging.getLogger(__name__)

# When the ledger does not answer.
RETRY = 5.0

Bucket = tuple[str, str]


@dataclass(slots=True)
class _Counted:
    fields: Mapping[str, Any]
    since: datetime
    count: int = 0
    due: float = 0.0


class Refusals:
    """One a process. `note` never fails: what cannot be recorded yet is counted with what follows."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._lock = threading.Condition()
        self._counted: dict[Bucket, _Counted] = {}
        self._thread: threading.Thread | None = None

    def note(self, reason: str, fields: Mapping[str, Any]) -> None:
        bucket = (str(fields.get("credential", "")), reason)
        with self._lock:
            counted = self._counted.setdefault(bucket, _Counted(fields, datetime.now(UTC)))
            if counted.count == 0:
                counted.since = datetime.now(UTC)
            counted.count += 1
            # Inside a transaction the entry would go with it when it is rolled back.
            is_due = counted.due <= time.monotonic() and not connection.in_atomic_block
            if not is_due:
                self._ensure_writing()
        if is_due:
            self._record(bucket)

    def _ensure_writing(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="countersign-refusals", daemon=True)
            self._thread.start()
        self._lock.notify()

    def flush(self) -> None:
        """Records all that is counted, now."""
        with self._lock:
            waiting = list(self._counted)
        for bucket in waiting:
            self._record(bucket)

    def _run(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                self._forget(now)
                waiting = {bucket: one.due for bucket, one in self._counted.items() if one.count}
                due = [bucket for bucket, moment in waiting.items() if moment <= now]
                if not due:
                    self._lock.wait(min(waiting.values()) - now if waiting else None)
            for bucket in due:
                self._record(bucket)

    def _forget(self, now: float) -> None:
        """What nobody has shown for a while begins anew."""
        for bucket in [bucket for bucket, one in self._counted.items() if not one.count and one.due <= now]:
            del self._counted[bucket]

    def _record(self, bucket: Bucket) -> None:
        with self._lock:
            counted = self._counted.get(bucket)
            if counted is None or not counted.count:
                return
            count, since, counted.count = counted.count, counted.since, 0
            counted.due = time.monotonic() + self._pause
        try:
            ledger.append(
                "credential.refused", reason=bucket[1], count=count, since=format_time(since), **counted.fields
            )
        except LedgerUnavailable as error:
            logger.warning("%d refused credentials could not be recorded yet: %s", count, error)
            with self._lock:
                counted.count += count
                counted.since = since
                counted.due = time.monotonic() + RETRY
                # A bucket that was forgotten meanwhile must not take its count with it.
                self._counted.setdefault(bucket, counted)
                self._ensure_writing()


_refusals = Refusals(settings.REFUSALS_EVERY_SECONDS)


def note(reason: str, fields: Mapping[str, Any]) -> None:
    _refusals.note(reason, fields)


def flush() -> None:
    _refusals.flush()


def _after_fork() -> None:
    global _refusals
    _refusals = Refusals(settings.REFUSALS_EVERY_SECONDS)


os.register_at_fork(after_in_child=_after_fork)
# Before the ledger's own: it is registered later.
atexit.register(flush)
