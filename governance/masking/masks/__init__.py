"""The registry of masks: one file a mask, each with one function `expression(column, data_class) -> str`.

To add one: copy the nearest file, write its function, list it here, and add its cases to the mask tests.

The rules for an expression: PostgreSQL SQL over the one column by its quoted name; only immutable functions, each named
with its schema; the column's own base type; no value of the column may make it fail, for an error would tell of the value.
"""

from __future__ import annotations

from collections.abc import Callable

from governance.catalogue.model import Column
from governance.masking.masks import bucket, null, partial, redact

Mask = Callable[[Column, str], str]

MASKS: dict[str, Mask] = {
    "redact": redact.expression,
    "null": null.expression,
    "partial": partial.expression,
    "bucket": bucket.expression,
}
