"""Fail closed: without Redis neither limits nor revocation reach a running statement, so nothing runs without it."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import connections

from governance.errors import ServiceUnavailable

_client: redis.Redis | None = None


def coordination() -> redis.Redis:
    """This process's client of Redis; it reconnects by itself."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    return _client


def drop_control_connections() -> None:
    """After an outage of the control database the pool's idle connections are dead, and it would try them one by one,
    longer than anybody waits. Called where an outage is told of; new ones are made when they are needed."""
    control = connections["default"]
    if pool := getattr(control, "pool", None):
        pool.drain()


def require_coordination() -> None:
    """Raises `ServiceUnavailable` when Redis does not answer."""
    try:
        coordination().ping()
    except redis.RedisError as error:
        raise ServiceUnavailable(
            "The broker (Redis) does not answer, so statements could be neither coordinated nor revoked. Nothing was run.",
            remedy="Try again shortly; the gateway recovers by itself when Redis is back.",
        ) from error
