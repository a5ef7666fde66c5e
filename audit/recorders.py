"""Records what other parts announce by signal: changes of who may act, refused credentials, signing in and out.

A receiver that fails makes the sender fail: a change of identity that cannot be recorded is undone with its
transaction, a sign-in that cannot be recorded is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connection
from django.http import HttpRequest

from audit import ledger, people, refusals
from audit.events import clean_text
from identity.credentials import holder_label
from identity.models import Credential, User
from identity.principals import principal_of_user
from identity.signals import credential_refused, identity_changed

LONGEST_USERNAME = 150


def connect() -> None:
    identity_changed.connect(record_identity_change, dispatch_uid="audit.identity_changed")
    user_logged_in.connect(record_signin, dispatch_uid="audit.signin_succeeded")
    user_login_failed.connect(record_failed_signin, dispatch_uid="audit.signin_failed")
    user_logged_out.connect(record_signout, dispatch_uid="audit.signin_ended")
    credential_refused.connect(record_refused_credential, dispatch_uid="audit.credential_refused")
    people.connect()


def record_identity_change(*, kind: str, fields: Mapping[str, Any], **_signal: Any) -> None:
    """Within the change's transaction; what is no change (a second factor shown) may have none."""
    _record(kind, **fields)


def record_signin(*, request: HttpRequest | None, user: User, **_signal: Any) -> None:
    _record("signin.succeeded", principal=principal_of_user(user).label, address=_address(request))


def record_failed_signin(
    *, credentials: Mapping[str, object], request: HttpRequest | None = None, **_signal: Any
) -> None:
    """The name that was tried, never the password."""
    attempted = credentials.get("username") or credentials.get("login") or credentials.get("email") or ""
    _record("signin.failed", username=clean_text(str(attempted), LONGEST_USERNAME), address=_address(request))


def record_signout(*, request: HttpRequest | None, user: User | None, **_signal: Any) -> None:
    """Nobody is told of as signed out who was not signed in."""
    if user is not None:
        _record("signin.ended", principal=principal_of_user(user).label, address=_address(request))


def record_refused_credential(*, reason: str, credential: Credential | None, **_signal: Any) -> None:
    fields = {}
    if credential is not None:
        holder = holder_label(credential)
        fields = {
            "principal": holder,
            "holder": holder,
            "credential": str(credential.id),
            "prefix": credential.prefix,
        }
    refusals.note(reason, fields)


def _record(kind: str, **fields: Any) -> None:
    # Forms and API calls differ in whether they open a transaction around a sign-in.
    write = ledger.append_within if connection.in_atomic_block else ledger.append
    write(kind, **fields)


def _address(request: HttpRequest | None) -> str | None:
    address = request.META.get("REMOTE_ADDR") if request is not None else None
    return clean_text(str(address)) if address else None
