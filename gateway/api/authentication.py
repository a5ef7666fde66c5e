"""Who calls: a bearer token (RFC 6750), or a person's browser session with its CSRF token. `request.user` is a Principal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from identity.credentials import authenticate
from identity.errors import NotAuthenticated
from identity.models import User
from identity.principals import Principal, principal_of_user
from identity.second_factor import shown_at


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        header = get_authorization_header(request).split()
        if not header:
            return None
        if len(header) != 2 or header[0].lower() != b"bearer":
            raise AuthenticationFailed
        try:
            return authenticate(header[1].decode("ascii", "replace")), None
        except NotAuthenticated as error:
            raise AuthenticationFailed from error

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="countersign"'


class PageSessionAuthentication(SessionAuthentication):
    """For our own pages and for people with a browser. Every unsafe call must carry the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        found = super().authenticate(request)
        return (principal_of_user(found[0]), found[0]) if found else None


def second_factor_at(request: Request) -> datetime | None:
    """When the caller last showed a second factor. Only a page's session can: a token shows what it is, not who holds it."""
    return shown_at(request._request, request.auth) if isinstance(request.auth, User) else None


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document says it. Found by drf-spectacular because it is defined."""

    target_class = BearerAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token of an agent or a person."}


class PageSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PageSessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
