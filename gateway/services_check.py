"""Fail closed: without Redis neither limits nor revocation reach a running statement, so nothing runs without it."""

from __future__ import annotations

import redis
from django.conf import settings

from governance.errors import ServiceUnavailable

_client: redis.Redis | None = None


def coordination() -> redis.Redis:
    """This process's client of Redis; it reconnects by itself."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    return _client


def require_coordination() -> None:
    """Raises `ServiceUnavailable` when Redis does not answer."""
    try:
        coordination().ping()
    except redis.RedisError as error:
        raise ServiceUnavailable(
            "The broker (Redis) does not answer, so statements could be neither coordinated nor revoked. Nothing was run.",
            remedy="Try again shortly; the gateway recovers by itself when Redis is back.",
        ) from error
