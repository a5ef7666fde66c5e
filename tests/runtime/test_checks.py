"""Settings that would start but must not run are named, with an id and what to do."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from config import checks

GOOD_KEY = "Yk3vJ0bqTn8xWm2RzL5cHs7dPf9gAe4uQi6o"
OTHER_KEY = "p0Lm9Kn8Jb7Hv6Gc5Fx4Dz3Sa2Qw1ErTyUiO"


@pytest.fixture
def sound(settings: Settings) -> Settings:
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD_KEY
    settings.COUNTERSIGN_ENCRYPTION_KEYS = [OTHER_KEY]
    settings.PUBLIC_URL = "https://countersign.example"
    settings.ALLOWED_HOSTS = ["countersign.example"]
    settings.REDIS_URL = "redis://:secret@redis.example:6379/0"
    settings.REDIS_PREFIX = "countersign"
    return settings


def ids(found: Iterator[CheckMessage]) -> list[str | None]:
    return [message.id for message in found]


def all_ids() -> list[str | None]:
    return [
        message.id
        for check in (checks.check_keys, checks.check_addresses, checks.check_python, checks.check_redis)
        for message in check(None)
    ]


def test_sound_settings_pass(sound: Settings) -> None:
    assert all_ids() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY": "a" * 64}, "countersign.E001"),
        ({"COUNTERSIGN_ENCRYPTION_KEYS": []}, "countersign.E002"),
        ({"COUNTERSIGN_ENCRYPTION_KEYS": [OTHER_KEY, "short"]}, "countersign.E002"),
        ({"COUNTERSIGN_ENCRYPTION_KEYS": [GOOD_KEY]}, "countersign.E003"),
        ({"DEBUG": True}, "countersign.E004"),
        ({"ALLOWED_HOSTS": ["countersign.example", "*"]}, "countersign.E005"),
        ({"PUBLIC_URL": "http://countersign.example"}, "countersign.E006"),
        ({"REDIS_PREFIX": ""}, "countersign.E008"),
        ({"REDIS_PREFIX": "a:b"}, "countersign.E008"),
        ({"REDIS_URL": "redis://redis.example:6379/0"}, "countersign.W001"),
    ],
)
def test_each_unsound_setting_is_named(sound: Settings, changes: dict[str, Any], expected: str) -> None:
    for name, value in changes.items():
        setattr(sound, name, value)
    assert all_ids() == [expected]


def test_plain_http_on_loopback_passes(sound: Settings) -> None:
    sound.PUBLIC_URL = "http://127.0.0.1:8000"
    sound.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    assert all_ids() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"server_version_num": "130011"}, ["countersign.E010"]),
        ({"fsync": "off"}, ["countersign.E011"]),
        ({"synchronous_commit": "off"}, ["countersign.E011"]),
        ({"is_superuser": "on"}, ["countersign.W002"]),
    ],
)
def test_the_database_server_is_judged(changes: dict[str, str], expected: list[str]) -> None:
    sound = {"server_version_num": "180004", "is_superuser": "off", **dict.fromkeys(checks.MUST_BE_ON, "on")}
    assert ids(checks._judge_server({**sound, **changes})) == expected


def test_the_database_check_asks_the_real_server(control_db: str) -> None:
    assert ids(checks.check_database(None, databases=["default"])) == ["countersign.W002"]
