"""How identity says that something changed or was refused, without knowing the ledger: `audit` listens.

`identity_changed` is sent within the change's transaction, with `kind: str` (an event kind) and `fields: dict`; a receiver
that fails undoes the change. `credential_refused` is sent with `reason: str` and `credential` (a Credential, or None where
the token names none); nothing depends on it.

Changes that no service announces (a password changed on its page, `manage.py createsuperuser`, code of one's own) are
found where rows are saved (`audit/people.py`): a service that announces a change itself says so with `announced`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.dispatch import Signal

identity_changed = Signal()
credential_refused = Signal()

NOT_KNOWN = "not known"
_announced: ContextVar[bool] = ContextVar("announced", default=False)
_actor: ContextVar[str] = ContextVar("actor", default=NOT_KNOWN)


@contextmanager
def announced() -> Iterator[None]:
    """What is saved in here is told by whoever saves it."""
    token = _announced.set(True)
    try:
        yield
    finally:
        _announced.reset(token)


@contextmanager
def acting(actor: str) -> Iterator[None]:
    """Who is behind what is saved in here."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def is_announced() -> bool:
    return _announced.get()


def who_acts() -> str:
    return _actor.get()
