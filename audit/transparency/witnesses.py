"""Who keeps copies of checkpoints: adding, switching and removing witnesses, and giving one of them a checkpoint."""

from __future__ import annotations

import http.client
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.models import Checkpoint, Witness
from audit.plain import one_line
from audit.transparency.checkpoints import HistoryDiffers, add_cosignature
from audit.transparency.cosigning import cosign
from audit.transparency.notes import NoteError, VerifierKey
from audit.transparency.places import OtherHistory, keep
from audit.transparency.stores import SEALED, WitnessError, place_of
from audit.transparency.tiles import LogDamaged
from identity.sealing import UnsealError, seal

logger = logging.getLogger(__name__)

CREDENTIALS = ("endpoint", "region", "access_key", "secret_key")
LONGEST_ADDRESS = 300
LONGEST_CREDENTIAL = 500
LONGEST_PROBLEM = 500
LONGEST_PAUSE = timedelta(hours=1)
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/=-]*)?")

# What goes wrong with one witness must not keep the others from their copy.
FAILURES = (
    WitnessError, HistoryDiffers, LogDamaged, UnsealError, OSError, http.client.HTTPException, ValueError, LookupError,
)  # fmt: skip


class WitnessRefused(ValueError):
    """It cannot be added or changed; `field` is the input that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


# --- Administration -----------------------------------------------------------------------------------------------


def add(
    name: str,
    kind: str,
    address: str,
    *,
    actor: str,
    verifier_key: str = "",
    credentials: Mapping[str, str] | None = None,
) -> Witness:
    """It is given its first checkpoint by the next publication. Raises `WitnessRefused`, `LedgerUnavailable`."""
    given = {field: value for field, value in (credentials or {}).items() if value}
    if not NAME.fullmatch(name):
        raise WitnessRefused(
            "name", "Use small letters, digits, dots and dashes, at most 63, for example audit-office."
        )
    if len(address) > LONGEST_ADDRESS:
        raise WitnessRefused("address", f"The address has more than {LONGEST_ADDRESS} characters.")
    if kind not in CHECKS:
        raise WitnessRefused("kind", f"There are witnesses of the kinds {', '.join(CHECKS)}.")
    CHECKS[kind](address)
    _check_verifier_key(kind, verifier_key)
    _check_credentials(kind, given)
    sealed = seal(orjson.dumps(given), SEALED) if given else None
    with transaction.atomic():
        if Witness.objects.filter(name=name).exists():
            raise WitnessRefused("name", f"There is a witness named {name} already.")
        witness = Witness.objects.create(
            name=name, kind=kind, address=address, verifier_key=verifier_key, sealed=sealed
        )
        ledger.append_within(
            "witness.added", actor=actor, name=name, address=address, verifier_key=verifier_key or None
        )
    return witness


def switch(name: str, *, active: bool, actor: str) -> Witness:
    """On or off; what was known about its failures is forgotten, so that it is tried at once."""
    with transaction.atomic():
        witness = _fetch_locked(name)
        if witness.is_active != active:
            witness.is_active, witness.failures, witness.problem, witness.retry_at = active, 0, "", None
            witness.save(update_fields=["is_active", "failures", "problem", "retry_at"])
            ledger.append_within("witness.changed", actor=actor, name=name, changes={"is_active": active})
    return witness


def remove(name: str, *, actor: str) -> None:
    """What it keeps stays where it is."""
    with transaction.atomic():
        witness = _fetch_locked(name)
        address = witness.address
        witness.delete()
        ledger.append_within("witness.removed", actor=actor, name=name, address=address)


def fetch(name: str) -> Witness:
    witness = Witness.objects.filter(name=name).first() if NAME.fullmatch(name) else None
    if witness is None:
        known = ", ".join(Witness.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise WitnessRefused("name", f"There is no witness named {name[:63]!r}. Known: {known}.")
    return witness


def _fetch_locked(name: str) -> Witness:
    fetch(name)
    return Witness.objects.select_for_update().get(name=name)


def _check_directory(address: str) -> None:
    if not Path(address).is_absolute() or not Path(address).is_dir():
        raise WitnessRefused(
            "address",
            "Give the whole path of a folder that is there, on the machine of the worker; for example /mnt/checkpoints.",
        )


def _check_bucket(address: str) -> None:
    if not BUCKET.fullmatch(address) or ".." in address:
        raise WitnessRefused("address", "Give bucket and prefix like s3://audit-office/countersign.")


def _is_url(text: str) -> bool:
    """Of a server and a path on it: without password, query or fragment."""
    try:
        parts = urlsplit(text)
        right = bool(parts.hostname) and parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return right and text.isascii() and text.isprintable() and not set(" @?#") & set(text)


def _check_url(address: str) -> None:
    if not _is_url(address):
        raise WitnessRefused(
            "address",
            "Give the witness's submission prefix, like https://witness.example.com/path, without a password.",
        )


def _check_verifier_key(kind: str, text: str) -> None:
    if kind != "tlog-witness":
        if text:
            raise WitnessRefused("verifier_key", "Only a tlog-witness has a key: the others keep, but do not sign.")
        return
    try:
        cosigns = VerifierKey.parse(text).cosigns
    except NoteError as error:
        raise WitnessRefused("verifier_key", f"{error}.") from error
    if not cosigns:
        raise WitnessRefused("verifier_key", "This key signs notes; a witness's key cosigns (its algorithm is 4).")


def _check_credentials(kind: str, given: Mapping[str, str]) -> None:
    if given and kind != "s3":
        raise WitnessRefused("credentials", "Only an S3-compatible store takes credentials.")
    if unknown := given.keys() - set(CREDENTIALS):
        raise WitnessRefused("credentials", f"There is no {min(unknown)!r}; there are {', '.join(CREDENTIALS)}.")
    if any(not isinstance(value, str) or len(value) > LONGEST_CREDENTIAL for value in given.values()):
        raise WitnessRefused("credentials", f"Each is text of at most {LONGEST_CREDENTIAL} characters.")
    if any(not (value.isascii() and value.isprintable()) for value in given.values()):
        raise WitnessRefused("credentials", "Each is one line of ASCII text: they become headers of requests.")
    if bool(given.get("access_key")) != bool(given.get("secret_key")):
        raise WitnessRefused("credentials", "Give access key and secret key together, or neither.")
    if given.get("endpoint") and not _is_url(given["endpoint"]):
        raise WitnessRefused("credentials", "Give the store's endpoint like https://s3.example.com, or leave it out.")


CHECKS = {"directory": _check_directory, "s3": _check_bucket, "tlog-witness": _check_url}


# --- Giving -------------------------------------------------------------------------------------------------------


def give(witness: Witness, checkpoint: Checkpoint) -> bool:
    """Whether it took the checkpoint; otherwise its row says why not and when it is tried again."""
    try:
        _push(witness, checkpoint)
    except FAILURES as error:
        _note_failure(witness, error)
        return False
    Witness.objects.filter(pk=witness.pk).update(
        size=checkpoint.size, succeeded_at=timezone.now(), failures=0, problem="", retry_at=None
    )
    return True


def _push(witness: Witness, checkpoint: Checkpoint) -> None:
    if witness.kind == "tlog-witness":
        key = VerifierKey.parse(witness.verifier_key)
        add_cosignature(checkpoint, cosign(witness.address, key, checkpoint, witness.size))
    else:
        keep(place_of(witness), checkpoint, witness.size)


def _note_failure(witness: Witness, error: Exception) -> None:
    problem = _words(error)
    failures = witness.failures + 1
    pause = min(timedelta(seconds=settings.COUNTERSIGN_CHECKPOINT_SECONDS * 2 ** min(failures, 20)), LONGEST_PAUSE)
    Witness.objects.filter(pk=witness.pk, is_active=True).update(
        failures=failures, problem=problem[:LONGEST_PROBLEM], retry_at=timezone.now() + pause
    )
    level = logging.CRITICAL if isinstance(error, OtherHistory) else logging.WARNING
    logger.log(level, "Witness %s did not take the checkpoint: %s", witness.name, problem)


def _words(error: Exception) -> str:
    """One line, without the number that the system has for it."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return one_line(text).rstrip(".") or type(error).__name__
