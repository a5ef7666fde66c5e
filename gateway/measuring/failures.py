"""What the database's refusals mean, in our words: its own may quote values. Pure."""

from __future__ import annotations

from approvals.impact.content import Failure
from gateway.measuring.trial import Refused

# These say nothing of the statement, only of the moment: it may well run the next time.
PASSING = {
    "57014": "it ran longer than the {timeout_ms:,} ms that a trial run may take",
    "55P03": "it did not get its locks within {lock_timeout_ms:,} ms",
    "40001": "it collided with other transactions",
    "40P01": "it ran into a deadlock with other sessions",
    "25001": "PostgreSQL runs it only outside transactions, so it could not be rolled back",
    "53": "the database had no resources left for it",
    "58": "the server had a problem of its own",
    "XX": "the server had a problem of its own",
}
MEANINGS = {
    "23502": "it leaves a column empty that must not be",
    "23503": "rows of another relation point at what it takes away, or it points at rows that are not there",
    "23505": "it makes a second row with a key that must be unique",
    "23514": "it makes a row that breaks a condition of its relation",
    "23P01": "it makes a row that must not exist beside another",
    "22001": "a text is too long for its column",
    "22003": "a number is out of range",
    "22012": "it divides by zero",
    "42501": "the database role may not do this",
    "42P01": "a relation that it names is not there",
    "42703": "a column that it names is not there",
    "42P07": "there is a relation of that name already",
    "42701": "there is a column of that name already",
    "55006": "something in it is in use in a way that forbids it",
    "2BP01": "other objects depend on what it takes away",
    "0A000": "the database does not offer this",
    "25006": "it writes where only reading is possible",
    "P0001": "a function or a trigger refuses it",
    "08": "its parameters do not fit",
    "22": "a value does not fit its type, or cannot be worked out",
    "23": "the data's own constraints forbid it",
    "42": "the database does not accept the statement",
}


def passing(refused: Refused, timeout_ms: int, lock_timeout_ms: int) -> str:
    """Why nothing can be said of it now; empty where it would fail any time."""
    found = _named(PASSING, refused.sqlstate).format(timeout_ms=timeout_ms, lock_timeout_ms=lock_timeout_ms)
    if found and refused.holders:
        sessions = "another session holds" if refused.holders == 1 else f"{refused.holders} other sessions hold"
        return f"{found}: {sessions} locks on what it needs"
    return found


def failure(refused: Refused) -> Failure:
    meaning = _named(MEANINGS, refused.sqlstate) or "the database refuses it"
    where = f" of {refused.relation}" if refused.relation else ""
    rule = f" ({refused.constraint}{where})" if refused.constraint else f" (in {refused.relation})" if where else ""
    return Failure(refused.sqlstate, f"{meaning}{rule}.")


def _named(words: dict[str, str], sqlstate: str) -> str:
    return words.get(sqlstate) or words.get(sqlstate[:2], "")
