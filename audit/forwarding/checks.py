"""What a forwarder may be told: where to send, and with which certificates. Nothing leaves unencrypted, nor into a folder
that is not for it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from audit.events import KINDS
from audit.forwarding.batches import FORMS
from audit.forwarding.errors import ForwarderRefused
from audit.forwarding.tls import client_context, is_loopback

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
FILE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,4}[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")
LONGEST_ADDRESS = 500
LONGEST_CERTIFICATE = 100_000
SHORTEST_SECRET = 24
LONGEST_SECRET = 200
SMALLEST_FILE = 10_000
LARGEST_FILE = 2**40
CERTIFICATES = ("ca", "certificate", "key")


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ForwarderRefused("name", "Use small letters, digits, dots and dashes, at most 63, for example siem.")


def check_syslog(address: str) -> None:
    parts = _parts(address)
    if parts.scheme not in ("tls", "tcp") or parts.path.strip("/") or parts.query:
        raise ForwarderRefused("address", "Give the server like tls://syslog.example.com:6514.")
    if parts.scheme == "tcp" and not is_loopback(str(parts.hostname)):
        raise ForwarderRefused(
            "address", "Without TLS entries go to this machine only: use tls://, or tcp://127.0.0.1."
        )


def check_webhook(address: str) -> None:
    parts = _parts(address)
    if parts.scheme not in ("http", "https"):
        raise ForwarderRefused("address", "Give the receiver's URL like https://siem.example.com/countersign.")
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        raise ForwarderRefused("address", "Without TLS entries go to this machine only: use https://.")


def check_file(address: str) -> None:
    if not FILE.fullmatch(address) or ".." in address:
        raise ForwarderRefused(
            "address",
            f"Give a file below {settings.FORWARD_DIR}, like siem/entries.ndjson: no other folder is written to.",
        )
    file_path(address)


def file_path(address: str) -> Path:
    """Below the folder for it, also where a part of the path is a link."""
    folder = Path(settings.FORWARD_DIR).resolve()
    path = folder / address
    if not path.parent.resolve().is_relative_to(folder):
        raise ForwarderRefused("address", f"{address} leads out of {folder}.")
    return path


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        right = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or not address.isascii() or not address.isprintable() or set(address) & set(' @#\\"<>'):
        raise ForwarderRefused("address", "Give an address of server and port, without user, password or fragment.")
    return parts


ADDRESSES = {"syslog": check_syslog, "webhook": check_webhook, "file": check_file}


def check_selection(form: str, kinds: list[str]) -> None:
    if form not in FORMS:
        raise ForwarderRefused("form", f"Entries are sent as {' or '.join(FORMS)}.")
    if unknown := sorted(set(kinds) - KINDS.keys()):
        raise ForwarderRefused("kinds", f"There are no entries of the kind {unknown[0][:63]!r}.")


def check_certificates(kind: str, address: str, given: Mapping[str, str]) -> None:
    if not given:
        return
    if kind == "file" or not address.startswith(("tls://", "https://")):
        raise ForwarderRefused(next(iter(given)), "Certificates are for tls:// and https:// addresses only.")
    if bool(given.get("certificate")) != bool(given.get("key")):
        raise ForwarderRefused("certificate", "Give the client's certificate and its key together, or neither.")
    for name, text in given.items():
        if len(text) > LONGEST_CERTIFICATE or "-----BEGIN" not in text:
            raise ForwarderRefused(name, "Give it as PEM text: -----BEGIN …")
    try:
        client_context({"ca": given.get("ca", "")})
    except (ssl.SSLError, ValueError) as error:
        raise ForwarderRefused("ca", f"It cannot be read: {error}.") from error
    try:
        client_context(given)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise ForwarderRefused(
            "key", f"Certificate and key do not fit, or the key has a pass phrase: {error}."
        ) from error


def check_secret(secret: str) -> None:
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise ForwarderRefused(
            "secret", f"Use {SHORTEST_SECRET} to {LONGEST_SECRET} random characters, or leave it out."
        )


def check_file_size(kind: str, most_bytes: int | None) -> None:
    if most_bytes is None:
        return
    if kind != "file" or not SMALLEST_FILE <= most_bytes <= LARGEST_FILE:
        raise ForwarderRefused(
            "most_bytes", f"A file is renamed when it has from {SMALLEST_FILE} to {LARGEST_FILE} bytes."
        )
