"""The built-in classes of sensitive data, each with its default mask; and how a class's place is written. Pure.

To add one: a line here; `docs/masking.md` lists them from this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from governance.catalogue.model import Relation, RelationKind


@dataclass(frozen=True, slots=True)
class DataClass:
    """`sensitivity` 1 to 3 feeds the risk score: 3 is what causes harm by itself (a card number, a secret); 0 adds nothing.
    `virtual`: nobody puts it on a column; it stands for columns that have no class."""

    name: str
    title: str
    mask: str
    sensitivity: int
    virtual: bool = False


UNCLASSIFIED_TEXT = "unclassified_text"

BUILT_IN = {
    data_class.name: data_class
    for data_class in (
        DataClass("email", "E-mail address", "partial", 2),
        DataClass("phone", "Telephone number", "partial", 2),
        DataClass("person_name", "Name of a person", "redact", 1),
        DataClass("postal_address", "Postal address", "redact", 2),
        DataClass("date_of_birth", "Date of birth", "bucket", 2),
        DataClass("national_id", "National identity number", "redact", 3),
        DataClass("card_number", "Payment card number", "partial", 3),
        DataClass("card_security_code", "Payment card security code", "null", 3),
        DataClass("bank_account", "Bank account number", "partial", 3),
        DataClass("salary", "Salary", "bucket", 2),
        DataClass("secret", "Password, token or key", "redact", 3),
        DataClass("free_text", "Free text that may hold personal data", "redact", 1),
        DataClass(UNCLASSIFIED_TEXT, "Text that nobody has classified", "scrub", 0, virtual=True),
    )
}
# Those that can be put on a column.
ASSIGNABLE = tuple(name for name, data_class in BUILT_IN.items() if not data_class.virtual)

# The strictest first: where several apply to one column, the first of them is taken.
MASKS = ("null", "redact", "pseudonym", "bucket", "partial", "scrub")


# --- Places ---------------------------------------------------------------------------------------------------------

# Between a column's name and a path inside it, where both are one key: `profile:$.a.b`.
_SEPARATOR = ":$"


def place_key(column: str, path: str) -> str:
    return f"{column}:{path}" if path else column


def split_place(key: str) -> tuple[str, str]:
    """The column, and the path inside it or an empty string."""
    column, separator, rest = key.partition(_SEPARATOR)
    return (column, f"${rest}") if separator else (key, "")


def is_ambiguous(column: str) -> bool:
    """Whether the column's own name would be read as a column and a path."""
    return _SEPARATOR in column


# --- Unclassified text ----------------------------------------------------------------------------------------------

# Shorter ones hold codes, states and the like, and no text that anybody writes.
_SHORTEST_TEXT = 40
_TEXT = re.compile(r"text|(?:.+\.)?citext|character varying(?:\((\d+)\))?")
_TABLES = frozenset(
    {RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.FOREIGN, RelationKind.MATERIALIZED_VIEW}
)


def unclassified_text_columns(relation: Relation, classes: Mapping[str, str]) -> tuple[str, ...]:
    """Its columns of free text that have no class, neither as a whole nor inside, and are in no key and no index: whoever
    indexes a text means it to be found by its value. `classes` are those of the relation, by place."""
    if relation.kind not in _TABLES:
        return ()
    classified = {split_place(place)[0] for place in classes}
    kept = relation.indexed.union(*relation.keys, *(key.columns for key in relation.foreign_keys))
    return tuple(
        column.name
        for column in relation.columns
        if column.name not in classified and column.name not in kept and _is_text(column.base_type)
    )


def _is_text(base_type: str) -> bool:
    found = _TEXT.fullmatch(base_type)
    return found is not None and (found[1] is None or int(found[1]) > _SHORTEST_TEXT)
