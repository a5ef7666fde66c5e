"""What values are: checked by the libraries that know the formats, each with how often it is wrong by chance.

A detector says of one value whether it could be of its class. `weight` is what it is worth when every value passes;
`chance` the share of arbitrary values of that shape that pass it all the same (measured over random digits), which is taken
off; `alone` whether it may speak where the name says nothing. Nothing here reaches out: `detect-secrets` can ask a service
whether a key is alive, and is never asked to.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any

import phonenumbers
from detect_secrets.plugins import (
    aws,
    azure_storage_key,
    basic_auth,
    discord,
    github_token,
    gitlab_token,
    high_entropy_strings,
    jwt,
    openai,
    private_key,
    pypi_token,
    sendgrid,
    slack,
    square_oauth,
    stripe,
    telegram_token,
)
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from stdnum import iban, luhn
from stdnum.us import ssn


@dataclass(frozen=True, slots=True)
class Detector:
    """`title` completes “98 % of the values …”; `passes` never raises."""

    data_class: str
    title: str
    weight: float
    chance: float
    passes: Callable[[str], bool]
    alone: bool = False


# What libraries prove by a checksum or a grammar, what only has the right shape.
PROVEN, FORMAT, SHAPE = 0.95, 0.7, 0.3

# --- E-mail and telephone -----------------------------------------------------------------------------------------

_is_email = EmailValidator()
_PHONE = re.compile(r"\A[+(]?[\d\s().\-/]{6,24}(?:\s?(?:x|ext\.?)\s?\d{1,6})?\Z", re.IGNORECASE)
# Where numbers are looked for that do not say their country. A scan can be told others.
COUNTRIES = ("GB", "US", "SE", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "AU", "CA", "NO", "DK", "FI", "PL")


def is_email(value: str) -> bool:
    if not 5 < len(value) <= 320 or "@" not in value:
        return False
    try:
        _is_email(value)
    except ValidationError:
        return False
    return True


def is_phone(value: str, country: str | None) -> bool:
    if not _PHONE.match(value) or not 6 < sum(map(str.isdigit, value)) < 20:
        return False
    if country is None and not value.startswith("+"):
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, country))
    except phonenumbers.NumberParseException:
        return False


def _phone_shaped(value: str) -> bool:
    """Digits alone are a number of any sort, unless they begin like a telephone number."""
    digits = sum(map(str.isdigit, value))
    if value.isdigit():
        return value.startswith("0") and 8 <= digits <= 12
    return bool(_PHONE.match(value)) and 7 <= digits <= 15


# --- Cards and accounts -------------------------------------------------------------------------------------------

# Prefix and lengths of the networks (ISO/IEC 7812): a checksum alone lets one number in ten through.
_CARD = re.compile(
    r"\A(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17})\Z"
)
_CARD_SEPARATORS = str.maketrans("", "", " -")


def is_card_number(value: str) -> bool:
    digits = value.translate(_CARD_SEPARATORS)
    # One digit over and over passes the checksum and is nobody's card.
    return bool(_CARD.match(digits)) and len(set(digits)) > 2 and luhn.is_valid(digits)


def is_iban(value: str) -> bool:
    return len(value) >= 15 and value[:2].isalpha() and bool(iban.is_valid(value))


# --- National numbers ---------------------------------------------------------------------------------------------

# Module of python-stdnum, how often random digits pass it. Those that prove nothing (a length, a plain number) are left out.
NATIONAL: tuple[tuple[str, str, float], ...] = (
    ("se.personnummer", "Swedish personal identity number", 0.01),
    ("de.idnr", "German tax identification number", 0.01),
    ("gb.nhs", "NHS number", 0.09),
    ("fr.nir", "French social security number", 0.01),
    ("es.dni", "Spanish DNI", 0.05),
    ("es.nie", "Spanish NIE", 0.05),
    ("it.codicefiscale", "Italian tax code", 0.01),
    ("nl.bsn", "Dutch BSN", 0.1),
    ("pl.pesel", "Polish PESEL", 0.02),
    ("fi.hetu", "Finnish personal identity code", 0.04),
    ("dk.cpr", "Danish CPR number", 0.03),
    ("no.fodselsnummer", "Norwegian birth number", 0.01),
    ("br.cpf", "Brazilian CPF", 0.01),
    ("in_.aadhaar", "Aadhaar number", 0.09),
    ("cn.ric", "Chinese resident identity number", 0.01),
    ("be.nn", "Belgian national number", 0.01),
    ("ch.ssn", "Swiss AHV number", 0.1),
    ("ie.pps", "Irish PPS number", 0.05),
    ("ro.cnp", "Romanian CNP", 0.01),
    ("cz.rc", "Czech birth number", 0.15),
    ("bg.egn", "Bulgarian EGN", 0.01),
    ("ee.ik", "Estonian personal code", 0.01),
    ("lt.asmens", "Lithuanian personal code", 0.02),
    ("hr.oib", "Croatian OIB", 0.1),
    ("tr.tckimlik", "Turkish identity number", 0.02),
    ("za.idnr", "South African identity number", 0.01),
    ("kr.rrn", "Korean resident number", 0.01),
    ("mx.curp", "Mexican CURP", 0.01),
    ("ca.sin", "Canadian SIN", 0.1),
    ("au.tfn", "Australian tax file number", 0.1),
    ("gr.amka", "Greek AMKA", 0.01),
    ("is_.kennitala", "Icelandic kennitala", 0.01),
    ("th.pin", "Thai identity number", 0.1),
)
_SHORTEST_NATIONAL = 8
# The format is all there is to these two: neither has a check digit.
_US_SSN = re.compile(r"\A\d{3}-\d{2}-\d{4}\Z")
_GB_NINO = re.compile(
    r"\A(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:\s?\d\d){3}\s?[A-D]\Z", re.IGNORECASE
)
_LIKE_NINO = re.compile(r"\A[A-Z]{2}\s?(?:\d\d\s?){3}[A-Z]\Z", re.IGNORECASE)
_IDENTIFIER = re.compile(r"\A(?=(?:.*\d){5})[A-Z0-9][A-Z0-9 ./\-]{4,22}\Z", re.IGNORECASE)


def _national(module: str) -> Callable[[str], bool]:
    is_valid: Callable[[str], bool] = importlib.import_module(f"stdnum.{module}").is_valid
    return lambda value: len(value) >= _SHORTEST_NATIONAL and bool(is_valid(value))


def _is_us_ssn(value: str) -> bool:
    return bool(_US_SSN.match(value)) and bool(ssn.is_valid(value))


# --- Secrets ------------------------------------------------------------------------------------------------------

_TOKENS: tuple[Any, ...] = tuple(
    make()  # type: ignore[no-untyped-call, unused-ignore]
    for make in (
        aws.AWSKeyDetector, azure_storage_key.AzureStorageKeyDetector, basic_auth.BasicAuthDetector,
        discord.DiscordBotTokenDetector, github_token.GitHubTokenDetector, gitlab_token.GitLabTokenDetector,
        jwt.JwtTokenDetector, openai.OpenAIDetector, private_key.PrivateKeyDetector, pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector, slack.SlackDetector, square_oauth.SquareOAuthDetector, stripe.StripeDetector,
        telegram_token.TelegramBotTokenDetector,
    )
)  # fmt: skip
_HEX, _BASE64 = high_entropy_strings.HexHighEntropyString(), high_entropy_strings.Base64HighEntropyString()
# Password hashes name their scheme: https://github.com/P-H-C/phc-string-format, and Django's way of writing them.
_HASH = re.compile(
    r"\A(?:\$(?:2[abxy]?|argon2(?:i|d|id)|scrypt|5|6|1|y|pbkdf2[\w-]*)\$\S{16,}|(?:pbkdf2|argon2|scrypt|bcrypt)\w*\$\S{20,})\Z"
)
_TOKEN_CHARACTERS = re.compile(r"\A(?=.*\d)[A-Za-z0-9+/=_\-.:]{12,512}\Z")
_UUID = re.compile(r"\A[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)


def holds_token(text: str) -> bool:
    """A key, token or credentials of a service that marks its own."""
    return any(next(iter(plugin.analyze_string(text)), None) is not None for plugin in _TOKENS)


def _is_password_hash(value: str) -> bool:
    return bool(_HASH.match(value))


def _looks_random(value: str) -> bool:
    if _UUID.match(value):
        return True
    if not _TOKEN_CHARACTERS.match(value):
        return False
    plain = value.rpartition("_")[2]
    limit_of = ((_HEX, 3.0), (_BASE64, 4.0 if len(plain) >= 24 else 3.5))
    return any(
        set(plain) <= set(kind.charset) and kind.calculate_shannon_entropy(plain) >= limit for kind, limit in limit_of
    )


# --- Shapes: worth something only together with a name --------------------------------------------------------------

_SECURITY_CODE = re.compile(r"\A\d{3,4}\s*\Z")
_NAME = re.compile(r"\A(?:[^\W\d_][^\W\d_'’.\-]*['’.\-]?[^\W\d_]*\.?,?(?:\s|\Z)){1,6}\Z")
_ADDRESS = re.compile(r"\A(?=.*\d).{4,200}\Z", re.DOTALL)
_MONEY = re.compile(r"\A[^\d\-]{0,4}\d[\d\s.,']*[^\d]{0,4}\Z")
_ACCOUNT = re.compile(r"\A[A-Z]{0,4}[\d\s\-]{6,24}\Z")
OLDEST, YOUNGEST = timedelta(days=120 * 366), timedelta(days=2 * 365)


def _is_birth_date(today: date, value: str) -> bool:
    """Somebody of at most 120 years, at least two: what was created lately is no date of birth."""
    try:
        found = date.fromisoformat(value[:10])
    except ValueError:
        return False
    return today - OLDEST <= found <= today - YOUNGEST


def _is_salary(value: str) -> bool:
    return bool(_MONEY.match(value)) and any(digit in value for digit in "123456789")


@lru_cache(maxsize=8)
def detectors(today: date, countries: Sequence[str] = COUNTRIES) -> tuple[Detector, ...]:
    return (
        Detector("email", "are valid e-mail addresses", PROVEN, 0.0, is_email, alone=True),
        Detector("phone", "are valid international telephone numbers", 0.9, 0.05, partial(is_phone, country=None), alone=True),
        *_national_phones(countries),
        Detector("phone", "look like telephone numbers", SHAPE, 0.05, _phone_shaped),
        Detector("card_number", "are card numbers by network and check digit", PROVEN, 0.05, is_card_number, alone=True),
        Detector("bank_account", "are valid IBANs", PROVEN, 0.0, is_iban, alone=True),
        Detector("bank_account", "look like account numbers", SHAPE, 0.1, lambda value: bool(_ACCOUNT.match(value))),
        *(
            Detector("national_id", f"are valid as {title}", PROVEN, chance, _national(module), alone=True)
            for module, title, chance in NATIONAL
        ),
        Detector("national_id", "are valid as US social security number", FORMAT, 0.0, _is_us_ssn, alone=True),
        Detector(
            "national_id", "are written as UK national insurance numbers", FORMAT, 0.0,
            lambda value: bool(_GB_NINO.match(value)), alone=True,
        ),
        Detector(
            "national_id", "have the shape of an identity number", SHAPE + 0.1, 0.0,
            lambda value: bool(_LIKE_NINO.match(value) or _IDENTIFIER.match(value)),
        ),
        Detector("secret", "are keys or tokens of a known kind", PROVEN, 0.0, holds_token, alone=True),
        Detector("secret", "are password hashes", PROVEN, 0.0, _is_password_hash, alone=True),
        Detector("secret", "look random", 0.6, 0.0, _looks_random),
        Detector(
            "card_security_code", "have three or four digits", 0.6, 0.0, lambda value: bool(_SECURITY_CODE.match(value))
        ),
        Detector("person_name", "are written like names", SHAPE, 0.1, lambda value: bool(_NAME.match(value))),
        Detector("postal_address", "are written like addresses", SHAPE, 0.1, lambda value: bool(_ADDRESS.match(value))),
        Detector("date_of_birth", "are dates on which a living person was born", 0.6, 0.0, partial(_is_birth_date, today)),
        Detector("salary", "are amounts", SHAPE, 0.0, _is_salary),
    )  # fmt: skip


def _national_phones(countries: Iterable[str]) -> list[Detector]:
    """Half of all numbers of ten digits are valid somewhere: without a name this says nothing."""
    return [
        Detector(
            "phone",
            f"are valid telephone numbers, read as those of {country}",
            0.9,
            0.3,
            partial(is_phone, country=country),
        )
        for country in countries
    ]
