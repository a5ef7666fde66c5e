"""People with second factors, as the pages leave them: no page is opened, no entry is skipped."""

from __future__ import annotations

import base64
import secrets
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings
from django.test import Client

from identity.models import User
from identity.signals import announced

PERIOD = 30


def give_app(user: User) -> str:
    """Its key, as the app on the phone has it."""
    key = base64.b32encode(secrets.token_bytes(20)).decode()
    with announced():
        TOTP.activate(user, key)
    return key


def give_recovery_codes(user: User) -> list[str]:
    with announced():
        return list(RecoveryCodes.activate(user).get_unused_codes())


def code_of(key: str, later: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return str(format_hotp_value(hotp_value(key, int(time.time()) // PERIOD + later)))


def forget_used_codes(user: User) -> None:
    """As if the next half minute had begun."""
    from django.core.cache import cache

    cache.clear()
    for one in Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP):
        one.data.pop("last_counter", None)
        one.save(update_fields=["data"])


def age_session(client: Client, seconds: float) -> None:
    """As if the session had shown what it showed so much longer ago."""
    session = client.session
    age_records(session, seconds)
    session.save()


def age_records(session: object, seconds: float) -> None:
    for record in session["account_authentication_methods"]:  # type: ignore[index]
        record["at"] -= seconds


def session_cookie(client: Client) -> str:
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)
