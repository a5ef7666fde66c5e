"""Subjects' keys: what a subject's payloads are sealed with, so that destroying one key erases all of its content.

A process believes for a lease that a key is in use, and for a lease that it still opens; whoever retires or destroys a key
waits until every such lease has run out (docs/decisions/0005-leases.md). Keys are asked for and made on a connection of
their own: a key is durable before anything is sealed with it, whatever becomes of the transaction that is open beside it.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from django.conf import settings

from audit.sequencer import LONGEST_WAIT, LedgerUnavailable
from identity.sealing import UnsealError, seal, unseal

T = TypeVar("T")

VERSION = b"\x02"
_SALT = 16
_NONCE = 12
_SHORTEST = len(VERSION) + _SALT + _NONCE + 16
MOST_KEPT = 10_000
# Clocks of two processes tick alike, but a sleep may end a little early.
MARGIN = 0.02


class ErasedError(UnsealError):
    """The content is gone for good, on purpose."""

    def __init__(self, erased_at: datetime) -> None:
        super().__init__(f"The content was erased on {erased_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC.")
        self.erased_at = erased_at


class SubjectCipher:
    """One subject's key. Each payload is sealed under a key derived from it and a random salt: however many there are,
    AES-GCM never sees one key with two equal nonces."""

    __slots__ = ("_bound", "_key", "id")

    def __init__(self, identifier: uuid.UUID, key: bytes) -> None:
        self.id = str(identifier)
        self._key = key
        self._bound = b"audit.payload:" + identifier.bytes

    def seal(self, plain: bytes) -> bytes:
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        return VERSION + salt + nonce + self._cipher(salt).encrypt(nonce, plain, self._bound)

    def unseal(self, sealed: bytes) -> bytes:
        if sealed[:1] != VERSION or len(sealed) < _SHORTEST:
            raise UnsealError("not sealed with a subject's key")
        salt, nonce, ciphertext = sealed[1:17], sealed[17:29], sealed[29:]
        try:
            return self._cipher(salt).decrypt(nonce, ciphertext, self._bound)
        except InvalidTag:
            raise UnsealError("the payload was changed, or belongs to another subject") from None

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(HKDFExpand(SHA256(), 32, b"countersign payload v2" + salt).derive(self._key))


# --- In use -------------------------------------------------------------------------------------------------------

# By subject, and by key: until when (monotonic) it is believed.
_in_use: dict[str, tuple[float, SubjectCipher]] = {}
_opened: dict[uuid.UUID, tuple[float, SubjectCipher]] = {}
_erased: dict[uuid.UUID, datetime] = {}

_FIND = "SELECT id, sealed FROM audit_subjectkey WHERE subject = %s AND retired_at IS NULL"
_MAKE = (
    "INSERT INTO audit_subjectkey (id, subject, sealed, created_at) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (subject) WHERE retired_at IS NULL DO NOTHING"
)
_OPEN = "SELECT sealed, erased_at FROM audit_subjectkey WHERE id = %s"


def key_in_use(subject: str) -> SubjectCipher:
    """Made if there is none. Raises `LedgerUnavailable` when the database does not say which it is."""
    found = _in_use.get(subject)
    if found is not None and time.monotonic() < found[0]:
        return found[1]
    return _ask(lambda session: _renewed(session, subject))


def _renewed(session: psycopg.Connection[Any], subject: str) -> SubjectCipher:
    """Those who waited for their turn take what the one before them was told."""
    found = _in_use.get(subject)
    now = time.monotonic()
    if found is not None and now < found[0]:
        return found[1]
    cipher = _find(session, subject, found[1] if found else None)
    # From before the question was put: a key that was retired meanwhile is waited for from its commit.
    _keep(_in_use, subject, (now + settings.LEASE_SECONDS, cipher))
    return cipher


def _find(session: psycopg.Connection[Any], subject: str, known: SubjectCipher | None) -> SubjectCipher:
    while True:
        row = session.execute(_FIND, [subject]).fetchone()
        if row is not None:
            identifier, sealed = row
            return known if known and known.id == str(identifier) else _unsealed(identifier, sealed)
        identifier, key = uuid.uuid4(), os.urandom(32)
        # Where somebody else was first, theirs is found in the next round.
        session.execute(_MAKE, [identifier, subject, seal(key, _purpose(identifier)), datetime.now(UTC)])


def _unsealed(identifier: uuid.UUID, sealed: bytes) -> SubjectCipher:
    """The installation's key must open it; otherwise nothing may be sealed, so nothing may happen."""
    try:
        return SubjectCipher(identifier, unseal(bytes(sealed), _purpose(identifier)))
    except UnsealError as error:
        raise LedgerUnavailable(f"the ledger cannot seal a payload: {error}") from error


def key_that_opens(identifier: uuid.UUID) -> SubjectCipher:
    """Raises `ErasedError` once it was destroyed, `UnsealError` if there is no such key, `LedgerUnavailable`."""
    found = _opened.get(identifier)
    now = time.monotonic()
    if found is not None and now < found[0]:
        return found[1]
    if identifier in _erased:
        raise ErasedError(_erased[identifier])
    row: Any = _ask(lambda session: session.execute(_OPEN, [identifier]).fetchone())
    if row is None:
        raise UnsealError(f"there is no key {identifier}")
    sealed, erased_at = row
    if erased_at is not None:
        _keep(_erased, identifier, erased_at)
        raise ErasedError(erased_at)
    if found is None:
        found = (now, SubjectCipher(identifier, unseal(bytes(sealed), _purpose(identifier))))
    _keep(_opened, identifier, (now + settings.LEASE_SECONDS, found[1]))
    return found[1]


def _purpose(identifier: uuid.UUID) -> str:
    """A sealed key that is copied into another row does not open."""
    return f"audit.subject-key:{identifier}"


def _keep(kept: dict[Any, Any], name: object, value: object) -> None:
    """Bounded. What was asked for longest ago goes first."""
    with _lock:
        kept.pop(name, None)
        while len(kept) >= MOST_KEPT:
            del kept[next(iter(kept))]
        kept[name] = value


def forget() -> None:
    with _lock:
        for kept in (_in_use, _opened, _erased):
            kept.clear()


def outlast_leases() -> None:
    """After it, no process believes what was so before the last commit."""
    forget()
    if settings.LEASE_SECONDS > 0:
        time.sleep(settings.LEASE_SECONDS + MARGIN)


# --- The connection -----------------------------------------------------------------------------------------------

# A connection that broke while nobody used it says so at once; a database that does not answer is not asked twice.
_SOON = 1.0
_lock = threading.Lock()
_turn = threading.Lock()
_session: psycopg.Connection[Any] | None = None


def _ask(question: Callable[[psycopg.Connection[Any]], T]) -> T:
    """One at a time; a connection that broke while nobody used it is made again once."""
    if not _turn.acquire(timeout=LONGEST_WAIT):
        raise LedgerUnavailable("the ledger cannot seal: the database does not answer for subjects' keys")
    try:
        begun, fresh = time.monotonic(), _session is None or _session.closed
        try:
            return question(_connected())
        except psycopg.Error:
            _disconnect()
            if fresh or time.monotonic() - begun > _SOON:
                raise
            return question(_connected())
    except psycopg.Error as error:
        _disconnect()
        raise LedgerUnavailable(f"the ledger cannot seal: {' '.join(str(error).split())}") from error
    finally:
        _turn.release()


def connect() -> psycopg.Connection[Any]:
    """A session of its own on the control database, past pool and transactions; every wait on it is bounded."""
    from audit.ledger import _connect  # seals with these keys, so it is there by now

    return _connect()


def _connected() -> psycopg.Connection[Any]:
    global _session
    if _session is None or _session.closed:
        _session = connect()
    return _session


def _disconnect() -> None:
    global _session
    session, _session = _session, None
    if session is not None:
        session.close()


def close() -> None:
    with _turn:
        _disconnect()


def _forget_parent() -> None:
    """A forked child leaves the parent's connection and locks alone."""
    global _session, _lock, _turn
    _session, _lock, _turn = None, threading.Lock(), threading.Lock()


os.register_at_fork(after_in_child=_forget_parent)
atexit.register(close)
