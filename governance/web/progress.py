"""How far something long has come, told to the page that waits for it. Only told: nothing rests on it, so Redis that is away
costs nothing but the number."""

from __future__ import annotations

import contextlib
import uuid

import redis
from django.conf import settings

KEPT_SECONDS = 120


def _key(person: int, job: uuid.UUID) -> str:
    return f"{settings.REDIS_PREFIX}:progress:{person}:{job}"


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)


def tell(person: int, job: uuid.UUID, done: int) -> None:
    with contextlib.suppress(redis.RedisError), _client() as client:
        client.set(_key(person, job), done, ex=KEPT_SECONDS)


def ask(person: int, job: uuid.UUID) -> int:
    """0 where nothing was told, or for somebody else's job."""
    with contextlib.suppress(redis.RedisError), _client() as client:
        told = client.get(_key(person, job))
        return int(str(told, "ascii")) if isinstance(told, bytes) else 0
    return 0
