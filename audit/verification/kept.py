"""Checkpoints that somebody kept elsewhere, as files."""

from __future__ import annotations

from pathlib import Path

from audit.models import LogKey
from audit.transparency.heads import parse_checkpoint
from audit.transparency.notes import ED25519, LONGEST_NOTE, NoteError, VerifierKey, parse, verify
from audit.verification.findings import CannotVerify, Noted


def read_kept(path: Path, keys: list[VerifierKey]) -> Noted:
    """With no key given, one of those that the log publishes must have signed it. Raises `CannotVerify`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(LONGEST_NOTE + 1)
    except (OSError, UnicodeError) as error:
        raise CannotVerify(f"the checkpoint {path} cannot be read: {error}") from error
    return noted_by(text, keys or published_keys(), f"of the checkpoint {path}")


def noted_by(text: str, keys: list[VerifierKey], by: str) -> Noted:
    try:
        note = parse(text)
        verify(note, keys)
        head = parse_checkpoint(note.text)
    except NoteError as error:
        raise CannotVerify(f"the root {by} cannot be used: {error}") from error
    return Noted(head.size, head.root, by)


def published_keys() -> list[VerifierKey]:
    return [VerifierKey(row.name, ED25519, bytes(row.public)) for row in LogKey.objects.order_by("created_at")]


def read_key(text: str) -> VerifierKey:
    """Raises `CannotVerify`."""
    try:
        return VerifierKey.parse(text)
    except NoteError as error:
        raise CannotVerify(str(error)) from error
