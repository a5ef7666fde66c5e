"""Model fields whose content is sealed in the database (identity/sealing.py) and plain in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from identity.sealing import seal, unseal

if TYPE_CHECKING:
    _SealedBase = models.BinaryField[Any, Any]
else:
    _SealedBase = models.BinaryField


class _SealedField(_SealedBase):
    """The purpose is `app.model.field`: a sealed value pasted into another column does not open."""

    @property
    def purpose(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"

    def encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def decode(self, raw: bytes) -> Any:
        raise NotImplementedError

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        sealed = None if value is None else seal(self.encode(value), self.purpose)
        return super().get_db_prep_value(sealed, connection, prepared)

    def from_db_value(self, value: Any, _expression: object, _connection: object) -> Any:
        return None if value is None else self.decode(unseal(bytes(value), self.purpose))


class SealedTextField(_SealedField):
    def encode(self, value: Any) -> bytes:
        return str(value).encode()

    def decode(self, raw: bytes) -> str:
        return raw.decode()


class SealedJSONField(_SealedField):
    def encode(self, value: Any) -> bytes:
        return orjson.dumps(value)

    def decode(self, raw: bytes) -> Any:
        return orjson.loads(raw)
