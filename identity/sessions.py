"""What a session holds is sealed at rest, like every other secret in the control database."""

from __future__ import annotations

from typing import Any

from django.core.signing import JSONSerializer

from identity.sealing import seal, unseal

PURPOSE = "session"


class SealedSerializer(JSONSerializer):
    """For `SESSION_SERIALIZER`. A session that cannot be opened is an empty one: its person signs in again."""

    def dumps(self, obj: Any) -> bytes:
        return seal(super().dumps(obj), PURPOSE)

    def loads(self, data: bytes) -> Any:
        return super().loads(unseal(data, PURPOSE))
