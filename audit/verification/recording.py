"""A verification that somebody asked for from a page or over REST: a worker does it, and records that it was done.

How far it has come is kept in Redis, for whoever watches; what came out is the entry `ledger.verified`.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass, replace

import redis
from celery import current_app
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from audit import ledger
from audit.entries import format_time
from audit.events import clean_text
from audit.verification.findings import Report
from audit.verification.inspection import verify_ledger

logger = logging.getLogger(__name__)

TASK = "audit.verify"
INTACT, BROKEN = "intact", "broken"
KEPT_SECONDS = 24 * 3600
TELL_SECONDS = 0.5
# A verification that says nothing for so long has died with its process.
SILENT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the verification that was asked for last. `state`: asked, running, done, failed; `entry` is what recorded it."""

    state: str
    actor: str
    asked_at: str
    beat: float
    done: int = 0
    total: int = 0
    status: str = ""
    fault: str = ""
    problem: str = ""
    entry: int | None = None

    @property
    def is_under_way(self) -> bool:
        return self.state in ("asked", "running") and time.time() - self.beat < SILENT_SECONDS

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


def standing() -> Standing | None:
    """None if none was asked for lately, or Redis does not answer."""
    try:
        with _redis() as client:
            kept = client.get(_key())
        return Standing(**json.loads(kept)) if isinstance(kept, bytes) else None
    except (redis.RedisError, TypeError, ValueError) as error:
        logger.warning("cannot tell how far the verification is: %s", error)
        return None


def ask_to_verify(actor: str) -> bool:
    """Hands it to a worker, unless one is at it; whether the broker took it."""
    under_way = standing()
    if under_way and under_way.is_under_way:
        return True
    # Told before it is asked for: a worker may be quick, and what it tells must stay.
    _tell(_begun(actor, "asked"))
    try:
        current_app.send_task(TASK, kwargs={"actor": actor}, retry=False)
    except BrokerError:
        _tell(under_way or replace(_begun(actor, "failed"), problem="The broker does not answer."))
        return False
    return True


def verify_and_record(actor: str) -> Report:
    """The whole log. Raises `LedgerUnavailable` if what came out cannot be recorded, and what the database raises."""
    told = _begun(actor, "running")
    _tell(told)

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.time() - told.beat >= TELL_SECONDS:
            told = replace(told, done=done, total=total, beat=time.time())
            _tell(told)

    try:
        report = verify_ledger(progress=progress)
        status, fault = (INTACT, "") if report.fault is None else (BROKEN, clean_text(str(report.fault)))
        if fault:
            logger.critical("THE LEDGER IS NOT INTACT: %s", fault)
        receipt = ledger.append(
            "ledger.verified",
            actor=actor,
            status=status,
            size=report.size,
            root=report.root or None,
            fault=fault or None,
        )
    except Exception as error:
        _tell(replace(told, state="failed", problem=clean_text(f"{type(error).__name__}: {error}"), beat=time.time()))
        raise
    told = replace(told, state="done", done=report.count, total=report.size, beat=time.time())
    _tell(replace(told, status=status, fault=fault, entry=receipt.index))
    return report


def _begun(actor: str, state: str) -> Standing:
    return Standing(state, actor, format_time(timezone.now()), time.time())


def _tell(standing: Standing) -> None:
    """Only who watches misses something if it cannot be told."""
    try:
        with _redis() as client:
            client.set(_key(), json.dumps(asdict(standing)), ex=KEPT_SECONDS)
    except redis.RedisError as error:
        logger.warning("cannot tell how far the verification is: %s", error)


def _key() -> str:
    return f"{settings.REDIS_PREFIX}:verification"


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
