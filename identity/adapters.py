"""Sign-in rules for django-allauth."""

from __future__ import annotations

import base64
import ipaddress
import logging
from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.urls import reverse

from identity.models import User
from identity.principals import principal_of_user
from identity.sealing import UnsealError, seal, unseal
from identity.second_factor import has_factor
from identity.signals import acting

logger = logging.getLogger(__name__)

SEALED_FOR = "second factor"
QUIET_ZONE = 4


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves: administrators add people."""
        return False

    def set_password(self, user: User, password: str) -> None:
        """On the pages, people change their own."""
        with acting(principal_of_user(user).label):
            super().set_password(user, password)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Whoever has a second factor shows that one: with the password alone nobody removes it, or adds another."""
        if isinstance(user, User) and has_factor(user):
            return [{"id": "second-factor", "description": "Second factor", "url": reverse("second-factor")}]
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return methods


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That is not right. A code from the app is good for half a minute; a recovery code, once.",
        "first_code": "That is not what the app shows now. Try its next code; is the clock of its device right?",
        "used_code": "That code has been used. Wait until the app shows the next one.",
        "passkey_refused": "That passkey is not one of yours here, or it answered too late. Try again.",
        "cannot_open": "What is kept of this factor cannot be opened. An administrator can take it away: factor reset.",
        "no_passkeys_here": "Passkeys need an address with a name; at this one browsers refuse them.",
    }

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal(text.encode(), SEALED_FOR)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `ValidationError`: what cannot be opened is not shown, and its person is told whom to ask."""
        try:
            return unseal(base64.b64decode(encrypted_text), SEALED_FOR).decode()
        except (UnsealError, ValueError) as error:
            logger.exception("A second factor does not open: %s", error)
            raise self.validation_error("cannot_open") from error

    def get_totp_label(self, user: User) -> str:
        return user.username

    def build_totp_svg(self, url: str) -> str:
        """For a page whose content security policy allows neither styles nor images in its text: one path, drawn dark by
        the style sheet."""
        code = qrcode.QRCode(border=QUIET_ZONE)
        code.add_data(url)
        code.make()
        rows = code.get_matrix()
        path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
        size = len(rows)
        return (
            f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="QR code" shape-rendering="crispEdges">'
            f'<path d="{path}"/></svg>'
        )

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"name": user.username, "display_name": user.username}


def passkeys_work_here() -> bool:
    """Browsers make passkeys for names only, and only over HTTPS or at `localhost`."""
    request: HttpRequest = context.request
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost" or host.endswith(".localhost")
    return False
