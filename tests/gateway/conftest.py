"""A governed shop and the cast around it, for tests of the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.drivers import DRIVERS
from governance import assessment
from tests.factories import SHOP, Cast, make_cast
from tests.fixtures.databases import MakeTarget, TargetDatabase


@pytest.fixture
def shop(target_database: MakeTarget) -> TargetDatabase:
    return target_database(SHOP)


@pytest.fixture
def cast(control_db: str, shop: TargetDatabase) -> Iterator[Cast]:
    assessment.forget()
    yield make_cast(shop.dsn)
    for driver in DRIVERS.values():
        driver.close()
