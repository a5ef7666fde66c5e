"""What names say, in several languages, and what they must not be taken for."""

from __future__ import annotations

import pytest

from governance.scanning.names import clues_of, words_of

TELLING = {
    "email": ["email", "E-Mail", "customerEmail", "USER_EMAIL_ADDRESS", "epost", "e_post", "courriel", "mailadresse"],
    "phone": ["phone", "phoneNumber", "telefonnummer", "telefon_privat", "tel", "mobil", "cell_phone"],
    "person_name": ["first_name", "LastName", "förnamn", "Vorname", "apellidos", "prénom", "cardholder"],
    "postal_address": ["street_address", "gatuadress", "Straße", "dirección", "address", "addressLine1"],
    "date_of_birth": ["dob", "birth_date", "dateOfBirth", "geburtsdatum", "födelsedatum", "birthday"],
    "national_id": ["ssn", "personnummer", "codice_fiscale", "nationalId", "cpf", "passport_no"],
    "card_number": ["card_number", "cardNo", "credit_card", "kortnummer", "pan"],
    "card_security_code": ["cvv", "cvc2", "card_security_code"],
    "bank_account": ["iban", "bank_account", "kontonummer", "account_number"],
    "salary": ["salary", "lön", "base_salary", "gehalt", "wages"],
    "secret": ["password", "api_key", "client_secret", "accessToken", "lösenord", "token"],
    "free_text": ["note", "comments", "bemerkung", "kommentar", "body"],
}
SILENT = [
    "id", "email_verified", "isEmailVerified", "has_phone", "password_changed_at", "token_count", "card_type", "phone_id",
    "ip_address", "mac_address", "company", "panel", "telemetry", "mailing", "discount_pct", "total", "phonetic", "status",
]  # fmt: skip


@pytest.mark.parametrize(("expected", "name"), [(what, name) for what, names in TELLING.items() for name in names])
def test_a_name_tells_of_its_class(expected: str, name: str) -> None:
    assert expected in {clue.data_class for clue in clues_of(name)}


@pytest.mark.parametrize("name", SILENT)
def test_a_name_about_something_else_tells_nothing(name: str) -> None:
    assert clues_of(name) == ()


@pytest.mark.parametrize(
    ("name", "around", "expected"),
    [("name", "customers", "person_name"), ("name", "products", None), ("zip", "customer_addresses", "postal_address"),
     ("zip", "zip_codes", None), ("number", "payment_cards", "card_number"), ("number", "invoices", None)],
)  # fmt: skip
def test_the_relation_around_decides_what_a_common_name_means(name: str, around: str, expected: str | None) -> None:
    assert {clue.data_class for clue in clues_of(name, around)} == ({expected} if expected else set())


def test_names_are_cut_into_words_however_they_are_written() -> None:
    assert {words_of(name) for name in ("homePhoneNo", "home_phone_no", "HOME-PHONE-NO", "Home Phone No")} == {
        ("home", "phone", "no")
    }
