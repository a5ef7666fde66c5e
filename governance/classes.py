"""The built-in classes of sensitive data, each with its default mask. Pure.

To add one: a line here; `docs/masking.md` lists them from this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataClass:
    """`sensitivity` 1 to 3 feeds the risk score: 3 is what causes harm by itself (a card number, a secret)."""

    name: str
    title: str
    mask: str
    sensitivity: int


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
    )
}

# The strictest first: where several apply to one column, the first of them is taken.
MASKS = ("null", "redact", "bucket", "partial")
