from __future__ import annotations

import pytest

from identity.models import Agent, User
from tests.factories import make_agent, make_user


@pytest.fixture
def alice(control_db: str) -> User:
    return make_user("alice")


@pytest.fixture
def bot(alice: User) -> Agent:
    return make_agent("analyst-bot", alice)
