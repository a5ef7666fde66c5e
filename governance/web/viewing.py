"""Who may do what on the pages of policies. Everybody signed in reads; administrators edit."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from identity.models import User


def is_fragment(http: HttpRequest) -> bool:
    """htmx asks for a part of the page, and leaves the page as it is for any status but 200."""
    return http.headers.get("HX-Request") == "true"


def administrator(http: HttpRequest) -> User:
    """Behind `login_required`. Raises `PermissionDenied`."""
    assert isinstance(http.user, User)  # noqa: S101  narrows the type
    if not http.user.is_superuser:
        raise PermissionDenied(
            "Policies are edited, replayed and activated by administrators. Everybody may read them."
        )
    return http.user
