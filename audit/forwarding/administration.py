"""Adding, pausing, resuming and removing forwarders. Each change is an entry of the ledger, made with it or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from audit import ledger
from audit.forwarding import checks
from audit.forwarding.errors import ForwarderRefused, UnknownForwarder
from audit.models import Forwarder, Head
from identity.sealing import UnsealError


class Added(NamedTuple):
    """`secret` is told this once, where it was made here."""

    forwarder: Forwarder
    secret: str


def add(
    name: str,
    kind: str,
    address: str,
    *,
    actor: str,
    first: int | None = 0,
    form: str = "entry",
    kinds: Sequence[str] = (),
    secret: str = "",
    most_bytes: int | None = None,
    certificates: Mapping[str, str] | None = None,
) -> Added:
    """Sends entries from `first` on; None: from now on. Raises `ForwarderRefused`, `LedgerUnavailable`."""
    given = {field: text for field, text in (certificates or {}).items() if text.strip()}
    wanted = sorted(set(kinds))
    _check(name, kind, address, form, wanted, given)
    checks.check_file_size(kind, most_bytes)
    config: dict[str, Any] = {"form": form, "kinds": wanted, **given}
    if most_bytes is not None:
        config["most_bytes"] = most_bytes
    made = _put_secret(config, kind, secret)
    with transaction.atomic():
        start = _start(first)
        if Forwarder.objects.filter(name=name).exists():
            raise ForwarderRefused("name", f"There is a forwarder named {name} already.")
        if kind == "file" and Forwarder.objects.filter(kind=kind, address=address).exists():
            raise ForwarderRefused("address", "Another forwarder writes to this file.")
        forwarder = Forwarder.objects.create(name=name, kind=kind, address=address, config=config, next=start)
        ledger.append_within(
            "forwarder.added",
            actor=actor,
            name=name,
            address=address,
            next=start,
            changes={"kind": kind, "form": form, "kinds": wanted},
        )
    return Added(forwarder, made)


def switch(name: str, *, active: bool, actor: str, reason: str = "") -> Forwarder:
    """Pauses or resumes; what was known about its failures is forgotten, so that it is tried at once."""
    with transaction.atomic():
        forwarder = _fetch_locked(name)
        if forwarder.is_active != active:
            forwarder.is_active, forwarder.failures, forwarder.problem, forwarder.retry_at = active, 0, reason, None
            forwarder.save(update_fields=["is_active", "failures", "problem", "retry_at"])
            ledger.append_within(
                "forwarder.changed", actor=actor, name=name, changes={"is_active": active}, reason=reason or None
            )
    return forwarder


def change_secret(name: str, *, actor: str, secret: str = "") -> Added:
    """Both the new secret and the one before it sign from now on, so that the receiver can change over in peace."""
    with transaction.atomic():
        forwarder = _fetch_locked(name)
        previous = _secrets_of(forwarder)
        made = _put_secret(forwarder.config, forwarder.kind, secret)
        forwarder.config["secrets"] = [*forwarder.config["secrets"], previous[0]]
        _save_secrets(forwarder, actor, "added")
    return Added(forwarder, made)


def drop_previous_secret(name: str, *, actor: str) -> Forwarder:
    """Only the newest secret signs from now on."""
    with transaction.atomic():
        forwarder = _fetch_locked(name)
        if len(_secrets_of(forwarder)) > 1:
            forwarder.config["secrets"] = forwarder.config["secrets"][:1]
            _save_secrets(forwarder, actor, "previous dropped")
    return forwarder


def remove(name: str, *, actor: str) -> None:
    """What it has sent stays where it is."""
    with transaction.atomic():
        forwarder = _fetch_locked(name)
        address, stood = forwarder.address, forwarder.next
        forwarder.delete()
        ledger.append_within("forwarder.removed", actor=actor, name=name, address=address, next=stood)


def listed() -> QuerySet[Forwarder]:
    """Each without its secrets until they are asked for: one whose secrets do not open hides no other."""
    return Forwarder.objects.defer("config")


def fetch(name: str) -> Forwarder:
    forwarder = listed().filter(name=name).first()
    if forwarder is None:
        known = ", ".join(Forwarder.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise UnknownForwarder("name", f"There is no forwarder named {name[:63]!r}. Known: {known}.")
    return forwarder


def _fetch_locked(name: str) -> Forwarder:
    fetch(name)
    return listed().select_for_update().get(name=name)


def _check(name: str, kind: str, address: str, form: str, kinds: list[str], certificates: Mapping[str, str]) -> None:
    checks.check_name(name)
    if kind not in checks.ADDRESSES:
        raise ForwarderRefused("kind", f"There are forwarders of the kinds {', '.join(checks.ADDRESSES)}.")
    if len(address) > checks.LONGEST_ADDRESS:
        raise ForwarderRefused("address", f"The address has more than {checks.LONGEST_ADDRESS} characters.")
    if unknown := certificates.keys() - set(checks.CERTIFICATES):
        raise ForwarderRefused("ca", f"There is no {min(unknown)!r}; there are {', '.join(checks.CERTIFICATES)}.")
    checks.ADDRESSES[kind](address)
    checks.check_selection(form, kinds)
    checks.check_certificates(kind, address, certificates)


def _put_secret(config: dict[str, Any], kind: str, given: str) -> str:
    """Puts what a webhook signs with into `config`; returns it if it was made here."""
    if kind != "webhook":
        if given:
            raise ForwarderRefused("secret", "Only a webhook signs with a secret.")
        return ""
    if given:
        checks.check_secret(given)
    made = "" if given else secrets.token_urlsafe(32)
    config["secrets"] = [given or made]
    return made


def _secrets_of(forwarder: Forwarder) -> list[str]:
    if forwarder.kind != "webhook":
        raise ForwarderRefused("secret", f"{forwarder.name} is no webhook: it signs with no secret.")
    try:
        return list(forwarder.config["secrets"])
    except UnsealError as error:
        raise ForwarderRefused(
            "secret", f"The secrets of {forwarder.name} do not open: {error}. Put the key back, or add it anew."
        ) from error


def _save_secrets(forwarder: Forwarder, actor: str, what: str) -> None:
    forwarder.save(update_fields=["config"])
    ledger.append_within("forwarder.changed", actor=actor, name=forwarder.name, changes={"secret": what})


def _start(first: int | None) -> int:
    size = Head.objects.values_list("size", flat=True).get(id=1)
    if first is None:
        return size
    if not 0 <= first <= size:
        raise ForwarderRefused("first", f"The ledger has {size} entries: begin with one from 0 to {size}.")
    return first
