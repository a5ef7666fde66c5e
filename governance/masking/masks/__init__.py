"""The registry of masks: one file a mask, each with one function `expression(column, data_class, value) -> str`.

To add one: copy the nearest file, write its function, list it here, and add its cases to the mask tests.

The rules for an expression: PostgreSQL SQL that stands for `value`, a reference to the column; only immutable functions
(a pseudonym: stable ones), each named with its schema; the column's own base type; no value of the column may make it
fail, for an error would tell of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from governance.catalogue.model import Column
from governance.classes import MASKS as STRICTEST_FIRST
from governance.masking.errors import MaskingImpossible
from governance.masking.masks import bucket, inside, null, partial, pseudonym, redact, scrub
from governance.policy.decision import MaskedColumn

Mask = Callable[[Column, str, str], str]

MASKS: dict[str, Mask] = {
    "redact": redact.expression,
    "null": null.expression,
    "partial": partial.expression,
    "bucket": bucket.expression,
    "pseudonym": pseudonym.expression,
    "scrub": scrub.expression,
}


def masked_value(column: Column, masks: Sequence[MaskedColumn], value: str) -> str:
    """The SQL expression, of the column's base type, that stands in for `value`, a SQL reference to the column.

    `masks` are all that apply to the column. One for the whole column outweighs those on places inside it; of several
    the strictest is taken. Raises `MaskingImpossible`.
    """
    for mask in masks:
        if mask.mask not in MASKS:
            raise MaskingImpossible(
                f"There is no mask named {mask.mask!r} for {mask.schema}.{mask.relation}.{mask.column}.",
                remedy=f"Ask an administrator to use one of {', '.join(sorted(MASKS))} in the policy.",
            )
    if not masks:
        raise MaskingImpossible(f"There is no mask for {column.name}.")
    strictest = sorted(masks, key=_strictness)
    if whole := next((mask for mask in strictest if not mask.path), None):
        return MASKS[whole.mask](column, whole.data_class, value)
    return inside.expression(column, strictest, value, MASKS)


def mask_that_fits(column: Column, data_class: str, mask: str) -> str:
    """The name of the mask that the column in fact gets: one that has nothing to keep of a type falls back."""
    found = MASKS[mask](column, data_class, "value")
    return next((one for one in ("null", "redact") if MASKS[one](column, data_class, "value") == found), mask)


def _strictness(mask: MaskedColumn) -> tuple[int, str]:
    return (STRICTEST_FIRST.index(mask.mask), mask.data_class)
