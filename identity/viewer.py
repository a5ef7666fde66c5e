"""Who is looking. Pages are for signed-in people; agents have none."""

from __future__ import annotations

from django.http import HttpRequest

from identity.models import User
from identity.principals import Principal, principal_of_user


def viewer(http: HttpRequest) -> Principal:
    """The signed-in person, behind `login_required`."""
    assert isinstance(http.user, User)  # noqa: S101  narrows the type
    return principal_of_user(http.user)
