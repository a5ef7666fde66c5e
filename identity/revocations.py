"""Revoked means now (P8): tells every process, over Redis, to end what a credential or an agent has running.

Whoever runs statements listens (`gateway/running.py`). The database row is the truth; the message is only the speed.
"""

from __future__ import annotations

from typing import Literal

import orjson
import redis
from django.conf import settings

Subject = Literal["credential", "agent", "query"]


def channel() -> str:
    return f"{settings.REDIS_PREFIX}:end"


def announce_end(subject: Subject, identifier: object) -> None:
    """Raises `redis.RedisError` when Redis is not reachable."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client:
        client.publish(channel(), orjson.dumps({"subject": subject, "id": str(identifier)}))
