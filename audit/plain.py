"""Text of others on terminals and in logs: one line that moves no cursor, hides nothing and begins no line of its own. Pure."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Line breaks and blanks become one blank; what cannot be seen is written as its escape, like `\\x1b`."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else "".join(map(_seen, joined))


def as_typed(text: str) -> str:
    """Exactly, for a name that somebody is to recognise or give back: nothing is joined, all that is unseen is escaped."""
    return text if text.isprintable() else "".join(map(_seen, text))


def _seen(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
