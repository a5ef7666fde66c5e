"""Second factors: who has one, when a session last showed one, and taking lost ones away.

Passwords, codes, passkeys and their storage are django-allauth's; here is what Countersign asks of them. A factor that
was shown counts for the session that showed it, and only while its person still has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from identity.errors import IdentityError
from identity.models import User
from identity.principals import principal_of_user
from identity.signals import announced, identity_changed

# What the ledger calls them.
WORDS = {
    Authenticator.Type.TOTP: "app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}
# Recovery codes stand in for a factor; by themselves they are none.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
BACK = "second_factor_back"


@dataclass(frozen=True, slots=True)
class Factor:
    kind: str
    name: str
    added_at: datetime
    last_shown_at: datetime | None


def has_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def factors_of(user: User) -> list[Factor]:
    found = Authenticator.objects.filter(user=user).order_by("created_at", "pk")
    return [Factor(WORDS[one.type], name_of(one), one.created_at, one.last_used_at) for one in found]


def name_of(authenticator: Authenticator) -> str:
    """What its person calls it; only passkeys have names."""
    return str(authenticator.data["name"]) if authenticator.type == Authenticator.Type.WEBAUTHN else ""


def shown_at(http: HttpRequest, person: User | None = None) -> datetime | None:
    """When this session last showed a second factor that its person still has. `person`: for doors where `http.user` is
    something else; another's session never counts."""
    user = person or http.user
    if not isinstance(user, User):
        return None
    shown = {
        record["id"]: float(record["at"])
        for record in get_authentication_records(http, user)
        if record.get("method") == "mfa"
    }
    still = Authenticator.objects.filter(user=user, pk__in=shown).values_list("pk", flat=True)
    latest = max((shown[pk] for pk in still), default=None)
    return None if latest is None else datetime.fromtimestamp(latest, UTC)


def lead_to(http: HttpRequest, back: str) -> HttpResponseRedirect:
    """To where a factor is shown, or set up where there is none yet; and from there to `back`, a path of our own."""
    assert isinstance(http.user, User)  # noqa: S101  narrows the type
    http.session[BACK] = back
    if not has_factor(http.user):
        return redirect("mfa_index")
    return HttpResponseRedirect(f"{reverse('second-factor')}?{urlencode({'next': back})}")


@transaction.atomic
def reset(user: User, *, actor: str, reason: str = "") -> list[Factor]:
    """Takes all factors of a person away, who has lost them. What they showed in open sessions counts no longer.

    Returns what was taken; raises `IdentityError` if there was nothing.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    taken = factors_of(user)
    if not taken:
        raise IdentityError(f"{user.username} has no second factor: there is nothing to take away.")
    with announced():
        Authenticator.objects.filter(user=user).delete()
    for one in taken:
        tell("factor.removed", user, one.kind, one.name, actor=actor, reason=reason)
    return taken


def tell(kind: str, user: User, factor: str = "", name: str = "", *, actor: str, **more: str) -> None:
    """Says it to whoever records it; raises if it cannot be recorded."""
    label = principal_of_user(user).label
    fields = {"principal": label, "user": user.username, "factor": factor, "name": name, "actor": actor, **more}
    if context.request is not None:
        fields["address"] = str(context.request.META.get("REMOTE_ADDR") or "")
    identity_changed.send(User, kind=kind, fields={field: value for field, value in fields.items() if value})
