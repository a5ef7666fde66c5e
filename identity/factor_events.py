"""Tells of second factors that come and go, wherever that happens: their rows are watched. The telling comes first: a factor
that cannot be recorded is not saved, and not removed.
"""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.db.models.signals import pre_delete, pre_save
from django.http import HttpRequest

from identity.factor_forms import spend
from identity.models import User
from identity.principals import principal_of_user
from identity.second_factor import WORDS, name_of, tell
from identity.signals import NOT_KNOWN, is_announced, who_acts


def connect() -> None:
    pre_save.connect(tell_added, sender=Authenticator, dispatch_uid="identity.factor_added")
    pre_delete.connect(tell_removed, sender=Authenticator, dispatch_uid="identity.factor_removed")
    authenticator_added.connect(spend_first_code, dispatch_uid="identity.first_code")


def tell_added(*, instance: Authenticator, **_signal: Any) -> None:
    if instance._state.adding and not is_announced():
        tell("factor.added", instance.user, WORDS[instance.type], name_of(instance), actor=_actor())


def tell_removed(*, instance: Authenticator, **_signal: Any) -> None:
    if not is_announced():
        tell("factor.removed", instance.user, WORDS[instance.type], name_of(instance), actor=_actor())


def spend_first_code(*, request: HttpRequest, authenticator: Authenticator, **_signal: Any) -> None:
    """The code that set an app up is not good for anything else."""
    if authenticator.type == Authenticator.Type.TOTP:
        spend(authenticator, request.POST.get("code", ""))


def _actor() -> str:
    """Whoever is named, or the person whose page it is."""
    if (named := who_acts()) != NOT_KNOWN:
        return named
    person = getattr(context.request, "user", None)
    return principal_of_user(person).label if isinstance(person, User) else NOT_KNOWN
