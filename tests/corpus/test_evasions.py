"""What is dangerous is parked or denied however it is dressed, and nothing of it has run."""

from __future__ import annotations

import hashlib

import pytest

from tests.corpus.attempts import Attempt, Shop, load

ATTEMPTS = load("evasions")
STATES = {"review": "parked", "deny": "denied"}
EVERYTHING = """
SELECT 'relations', c.oid::text || c.relname || c.relowner || c.relrowsecurity || COALESCE(c.relacl::text, '')
    || c.relnatts || c.relfilenode || c.relhastriggers || c.relispartition
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'functions', p.oid::text || p.prosrc || p.proowner FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
UNION ALL SELECT 'schemas', nspname FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
UNION ALL SELECT 'sequence', last_value::text FROM tickets
UNION ALL SELECT 'rows', o::text FROM orders o
UNION ALL SELECT 'rows', i::text FROM order_items i
UNION ALL SELECT 'rows', n::text FROM notes n
UNION ALL SELECT 'rows', c::text FROM customers c
UNION ALL SELECT 'rows', r::text FROM ruled r
ORDER BY 1, 2
"""


def state_of(shop: Shop) -> str:
    return hashlib.sha256(repr(shop.database.fetch(EVERYTHING)).encode()).hexdigest()


def test_there_are_many_attempts_with_names_of_their_own() -> None:
    names = [attempt.name for attempt in ATTEMPTS]
    assert len(names) >= 200
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_an_evasion_is_stopped_and_changes_nothing(attempt: Attempt, shop: Shop) -> None:
    before = state_of(shop)
    told = shop.submit(attempt.steps[0], attempt.params)
    assert told["state"] in {STATES[verdict] for verdict in attempt.expect}, told
    assert state_of(shop) == before
