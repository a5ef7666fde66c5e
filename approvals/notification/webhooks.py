"""Adding, changing, pausing and removing webhooks. Each change is an entry of the ledger, made with it or not at all.

An address can be a secret (Slack's are): it is kept encrypted, and shown and recorded without its path.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from approvals.models import Notification, Webhook
from approvals.notification.events import SHARED, TEST
from approvals.notification.outbox import write
from approvals.notification.webhook_door import secrets_of
from audit import ledger
from audit.forwarding import checks
from audit.forwarding.errors import ForwarderRefused
from identity.sealing import UnsealError

# The page on which one is added has this address.
TAKEN = {"add"}


class WebhookRefused(ValueError):
    """It cannot be added or changed; `field` is the input that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class UnknownWebhook(WebhookRefused):
    """There is none of that name."""


class Added(NamedTuple):
    """`secret` is told this once."""

    webhook: Webhook
    secret: str


def add(
    name: str, address: str, *, actor: str, format: str = "json", events: Iterable[str] = (), groups: Iterable[str] = ()
) -> Added:
    """Raises `WebhookRefused`, `LedgerUnavailable`."""
    _check_name(name)
    _check_address(address)
    chosen, of = _checked(format, events, groups)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        if Webhook.objects.filter(name=name).exists():
            raise WebhookRefused("name", f"There is a webhook named {name} already.")
        hook = Webhook.objects.create(
            name=name, address=address, secret=secret, format=format, events=chosen, groups=of
        )
        ledger.append_within(
            "webhook.added", actor=actor, name=name, address=shown(address), format=format, events=chosen, groups=of
        )
    return Added(hook, secret)


def change(
    name: str, *, actor: str, address: str = "", format: str, events: Iterable[str], groups: Iterable[str]
) -> Webhook:
    """`address` empty leaves it as it is. Raises `WebhookRefused`, `LedgerUnavailable`."""
    if address:
        _check_address(address)
    chosen, of = _checked(format, events, groups)
    with transaction.atomic():
        hook = _fetch_locked(name)
        hook.format, hook.events, hook.groups = format, chosen, of
        fields = ["format", "events", "groups"]
        if address:
            hook.address = address
            fields.append("address")
        hook.save(update_fields=fields)
        ledger.append_within(
            "webhook.changed", actor=actor, name=name, format=format, events=chosen, groups=of,
            address=shown(address) if address else None,
        )  # fmt: skip
    return hook


def switch(name: str, *, active: bool, actor: str) -> Webhook:
    """What was known about its failures is forgotten; what was to be told while it was paused is not told later."""
    with transaction.atomic():
        hook = _fetch_locked(name)
        if hook.is_active != active:
            hook.is_active, hook.failures, hook.failing_since, hook.error = active, 0, None, ""
            hook.save(update_fields=["is_active", "failures", "failing_since", "error"])
            ledger.append_within("webhook.changed", actor=actor, name=name, is_active=active)
    return hook


def change_secret(name: str, *, actor: str) -> Added:
    """Both the new secret and the one before it sign from now on, so that the receiver can change over in peace."""
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        hook = _fetch_locked(name)
        _save_secrets(hook, [secret, *_secrets(hook)[:1]], actor, "added")
    return Added(hook, secret)


def drop_previous_secret(name: str, *, actor: str) -> Webhook:
    with transaction.atomic():
        hook = _fetch_locked(name)
        if len(known := _secrets(hook)) > 1:
            _save_secrets(hook, known[:1], actor, "previous dropped")
    return hook


def remove(name: str, *, actor: str) -> None:
    with transaction.atomic():
        _fetch_locked(name).delete()
        ledger.append_within("webhook.removed", actor=actor, name=name)


def test(name: str) -> None:
    """Sends it a message that says that it is a test. Raises `WebhookRefused`."""
    with transaction.atomic():
        hook = _fetch_locked(name)
        if not hook.is_active:
            raise WebhookRefused("name", f"{name} is paused: resume it first.")
        write([Notification(key=f"test:{uuid.uuid4()}", event=TEST, webhook=hook, next_at=timezone.now())])


def listed() -> QuerySet[Webhook]:
    """Each without what is sealed until it is asked for: one that does not open hides no other."""
    return Webhook.objects.defer("address", "secret")


def fetch(name: str) -> Webhook:
    hook = listed().filter(name=name).first()
    if hook is None:
        known = ", ".join(Webhook.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise UnknownWebhook("name", f"There is no webhook named {name[:63]!r}. Known: {known}.")
    return hook


def shown(address: str) -> str:
    """The server, without the path that may be the secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/…"


def address_of(hook: Webhook) -> str:
    """As it is shown; empty where it does not open."""
    try:
        return shown(hook.address)
    except UnsealError:
        return ""


def secret_count(hook: Webhook) -> int:
    """How many secrets sign; 0 where they do not open."""
    try:
        return len(secrets_of(hook))
    except UnsealError:
        return 0


def _fetch_locked(name: str) -> Webhook:
    fetch(name)
    return listed().select_for_update().get(name=name)


def _secrets(hook: Webhook) -> list[str]:
    try:
        return secrets_of(hook)
    except UnsealError as error:
        raise WebhookRefused(
            "secret", f"The secret of {hook.name} does not open: {error}. Put the key back, or add the webhook anew."
        ) from error


def _save_secrets(hook: Webhook, kept: list[str], actor: str, what: str) -> None:
    hook.secret = "\n".join(kept)
    hook.save(update_fields=["secret"])
    ledger.append_within("webhook.changed", actor=actor, name=hook.name, changes={"secret": what})


def _check_name(name: str) -> None:
    if not checks.NAME.fullmatch(name) or name in TAKEN:
        raise WebhookRefused(
            "name", "Use small letters, digits, dots and dashes, at most 63, for example oncall; not add."
        )


def _check_address(address: str) -> None:
    """The rules for addresses that the ledger is forwarded to: TLS, or this machine; no user, no fragment."""
    if len(address) > checks.LONGEST_ADDRESS:
        raise WebhookRefused("address", f"The address has more than {checks.LONGEST_ADDRESS} characters.")
    try:
        checks.check_webhook(address)
    except ForwarderRefused:
        raise WebhookRefused(
            "address",
            "Give the receiver's URL like https://hooks.example.com/countersign, without user or fragment; http:// only for"
            " this machine.",
        ) from None


def _checked(format: str, events: Iterable[str], groups: Iterable[str]) -> tuple[list[str], list[str]]:
    if format not in Webhook.Format.values:
        raise WebhookRefused("format", f"The format is {' or '.join(Webhook.Format.values)}.")
    chosen, of = sorted(set(events)), sorted(set(groups))
    if unknown := [name for name in chosen if name not in SHARED]:
        raise WebhookRefused("events", f"There is no event {unknown[0][:40]!r}. There are: {', '.join(SHARED)}.")
    known = set(Group.objects.filter(name__in=of).values_list("name", flat=True))
    if strange := [name for name in of if name not in known]:
        raise WebhookRefused("groups", f"There is no group {strange[0][:40]!r}.")
    return chosen, of
