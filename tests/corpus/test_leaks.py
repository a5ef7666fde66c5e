"""P2: nobody without the right to a column sees or infers its values, however the statement is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.models import DataSource
from tests.corpus.attempts import Attempt, Shop, load
from tests.factories import make_datasource

ATTEMPTS = load("leaks")


def test_there_are_many_attempts_with_names_of_their_own() -> None:
    names = [attempt.name for attempt in ATTEMPTS]
    assert len(names) >= 300
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_an_attempt_shows_no_secret_and_tells_two_databases_not_apart(
    attempt: Attempt, shops: tuple[Shop, Shop]
) -> None:
    for step in attempt.steps:
        told = [shop.submit(step, attempt.params) for shop in shops]
        for shop, answer in zip(shops, told, strict=True):
            assert shop.seen_in(answer) == [], step
        assert told[0] == told[1], step


def test_the_secrets_are_there_to_be_found(shop: Shop) -> None:
    """On a data source that masks nothing the same statements do show them, so the tests above can fail."""
    make_datasource(shop.database.dsn, name="unmasked", environment="dev", classes={})
    open_shop = Shop(
        replace(shop.cast, datasource=DataSource.objects.get(name="unmasked")), shop.database, shop.secrets
    )
    found = {
        secret
        for sql in ("TABLE customers", "TABLE cards", "TABLE accounts")
        for secret in open_shop.seen_in(open_shop.submit(sql))
    }
    assert found == set(shop.secrets)
