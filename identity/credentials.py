"""Credentials: issued once, stored hashed, checked on every use, revoked at once.

A token is `cs_<prefix>_<secret>`: eight characters by which it is found and shown, and 256 random bits. Because the secret
is random and long, one SHA-256 is the right hash (OWASP ASVS 2.9: no slow hash is needed for high-entropy look-up secrets).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from identity.errors import IdentityError, NotAuthenticated
from identity.models import Agent, Credential, User
from identity.principals import Principal, principal_of_agent, principal_of_user
from identity.revocations import announce_end
from identity.signals import credential_refused, identity_changed

TOKEN = re.compile(r"\Acs_([a-z0-9]{8})_([A-Za-z0-9_-]{43})\Z")
PREFIX_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
# What authentication reads; a whole user is many columns, and this runs for every statement.
NEEDED = (
    "prefix", "digest", "expires_at", "revoked_at", "last_used_at", "user__username", "user__is_active",
    "user__is_superuser", "agent__name", "agent__is_active", "agent__owner__username", "agent__owner__is_active",
)  # fmt: skip
# "Last used" is told to the minute, so that a busy agent does not cost a write with every statement.
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """`token` exists only here: it cannot be had again."""

    credential: Credential
    token: str


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def issue(holder: User | Agent, *, expires_in: timedelta | None = None, issued_by: str) -> IssuedCredential:
    """Raises `IdentityError`. Without `expires_in` it works until it is revoked."""
    if not holder.is_active:
        raise IdentityError(f"{holder} is not active: no credential is issued.")
    if expires_in is not None and expires_in <= timedelta():
        raise IdentityError("A credential that has expired before it is issued is of no use: give it a time to live.")
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(8))
    token = f"cs_{prefix}_{secrets.token_urlsafe(32)}"
    credential = Credential.objects.create(
        user=holder if isinstance(holder, User) else None,
        agent=holder if isinstance(holder, Agent) else None,
        prefix=prefix,
        digest=_digest(token),
        issued_by=issued_by,
        expires_at=timezone.now() + expires_in if expires_in is not None else None,
    )
    identity_changed.send(
        Credential,
        kind="credential.issued",
        fields={
            "actor": issued_by,
            "holder": holder_label(credential),
            "credential": str(credential.id),
            "prefix": prefix,
            "expires_at": credential.expires_at.isoformat() if credential.expires_at else None,
        },
    )
    return IssuedCredential(credential, token)


def authenticate(token: str) -> Principal:
    """The principal whose token this is. Raises `NotAuthenticated`; takes as long for a wrong secret as for a right one."""
    match = TOKEN.match(token)
    if match is None:
        raise _refused("not a token of ours")
    found = Credential.objects.select_related("user", "agent__owner").only(*NEEDED)
    credential = found.filter(prefix=match.group(1)).first()
    if credential is None or not hmac.compare_digest(bytes(credential.digest), _digest(token)):
        raise _refused("unknown token")
    try:
        require_live(credential)
    except NotAuthenticated as error:
        raise _refused(error.reason, credential) from error
    _touch(credential)
    if credential.agent is not None:
        return principal_of_agent(credential.agent, credential.id)
    # The table's check constraint: exactly one of agent and user is set.
    return principal_of_user(cast(User, credential.user), credential.id)


def _refused(reason: str, credential: Credential | None = None) -> NotAuthenticated:
    """A secret that does not fit is never told of as its prefix's: anybody can have seen a prefix."""
    credential_refused.send(Credential, reason=reason, credential=credential)
    return NotAuthenticated(reason)


def require_live(credential: Credential) -> None:
    """Raises `NotAuthenticated` if the credential, its principal or its agent's owner may no longer act."""
    if credential.revoked_at is not None:
        raise NotAuthenticated("revoked")
    if credential.expires_at is not None and credential.expires_at <= timezone.now():
        raise NotAuthenticated("expired")
    holder = credential.agent or credential.user
    if holder is None or not holder.is_active:
        raise NotAuthenticated("the principal is not active")
    if credential.agent is not None and not credential.agent.owner.is_active:
        raise NotAuthenticated("the agent's owner is not active")


def is_live(credential_id: uuid.UUID, *, allow_expired: bool = False) -> bool:
    """Whether the credential may still act: asked again right before something irreversible (P8). What people approved
    may run although the credential that asked has expired since (`allow_expired`); never after a revocation."""
    acting = Q(agent__is_active=True, agent__owner__is_active=True) | Q(user__is_active=True)
    unexpired = Q() if allow_expired else Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Credential.objects.filter(acting, unexpired, pk=credential_id, revoked_at__isnull=True).exists()


def ended_among(principals: Collection[Principal]) -> set[Principal]:
    """Those who may no longer act: the credential revoked, they themselves or their owner not active."""
    shown = {one.credential_id for one in principals if one.credential_id}
    acting = Q(agent__is_active=True, agent__owner__is_active=True) | Q(user__is_active=True)
    live = set(Credential.objects.filter(acting, pk__in=shown, revoked_at__isnull=True).values_list("pk", flat=True))
    without = [one for one in principals if not one.credential_id]
    owners = {one.owner_id for one in without}
    people = set(User.objects.filter(pk__in=owners, is_active=True).values_list("pk", flat=True)) if owners else set()
    named = {one.id for one in without if not one.is_person}
    agents = set(Agent.objects.filter(pk__in=named, is_active=True).values_list("pk", flat=True)) if named else set()
    return {one for one in principals if one.credential_id and one.credential_id not in live} | {
        one for one in without if one.owner_id not in people or not (one.is_person or one.id in agents)
    }


def revoke(credential: Credential, *, actor: str) -> None:
    """Ends the credential, its sessions and what it has running. Revoking twice changes nothing."""
    with transaction.atomic():
        changed = Credential.objects.filter(pk=credential.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
        if not changed:
            return
        identity_changed.send(
            Credential,
            kind="credential.revoked",
            fields={
                "actor": actor,
                "holder": holder_label(credential),
                "credential": str(credential.id),
                "prefix": credential.prefix,
            },
        )
        transaction.on_commit(lambda: announce_end("credential", credential.id))


def _touch(credential: Credential) -> None:
    now = timezone.now()
    if credential.last_used_at is None or credential.last_used_at < now - LAST_USED_STEP:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_STEP)
        Credential.objects.filter(stale, pk=credential.pk).update(last_used_at=now)


def holder_label(credential: Credential) -> str:
    return f"agent:{credential.agent}" if credential.agent is not None else f"user:{credential.user}"
