"""Revoked means now (P8): tells every process, over Redis, to end what a credential, an agent or a grant has running.

Whoever runs statements listens (`gateway/running.py`). The database row is the truth; the message is only the speed:
without it, whoever runs statements finds the change within two seconds.
"""

from __future__ import annotations

import logging
from typing import Literal

import orjson
import redis
from django.conf import settings

logger = logging.getLogger(__name__)

Subject = Literal["credential", "agent", "query", "grant"]


def channel() -> str:
    return f"{settings.REDIS_PREFIX}:end"


def announce_end(subject: Subject, identifier: object) -> None:
    """For a revocation, after it was committed. Redis that is away is no error: the revocation stands."""
    try:
        order_end(subject, identifier)
    except redis.RedisError as error:
        logger.warning("The end of %s %s could not be announced: %s", subject, identifier, error)


def order_end(subject: Subject, identifier: object) -> None:
    """Raises `redis.RedisError` when Redis is not reachable."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
        client.publish(channel(), orjson.dumps({"subject": subject, "id": str(identifier)}))
