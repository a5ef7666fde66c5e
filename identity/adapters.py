"""Sign-in rules for django-allauth."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from identity.models import User
from identity.principals import principal_of_user
from identity.signals import acting


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves: administrators add people."""
        return False

    def set_password(self, user: User, password: str) -> None:
        """On the pages, people change their own."""
        with acting(principal_of_user(user).label):
            super().set_password(user, password)
