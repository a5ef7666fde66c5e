from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.drivers import DRIVERS
from governance import assessment, pseudonyms
from tests.corpus.conftest import committed_control_db  # noqa: F401  a fixture
from tests.fixtures.databases import MakeTarget
from tests.noninterference.world import World, make_worlds


@pytest.fixture(scope="module")
def worlds(committed_control_db: str, target_database: MakeTarget) -> Iterator[tuple[World, World]]:  # noqa: F811
    assessment.forget()
    yield make_worlds(target_database)
    for driver in DRIVERS.values():
        driver.close()


@pytest.fixture(scope="module")
def opened_worlds(committed_control_db: str, target_database: MakeTarget) -> Iterator[tuple[World, World]]:  # noqa: F811
    """Under policies that let far more run, with pseudonyms by one key: each data source has its own, by which the worlds
    would differ."""
    assessment.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pseudonyms, "_blocks", lambda root, _, blocks=pseudonyms._blocks: blocks(root, 0))
        yield make_worlds(target_database, filtered=True)
        for driver in DRIVERS.values():
            driver.close()
