"""`scrub`: identifiers and secrets in free text are replaced, the rest stays. NULL stays NULL.

It finds what has a form: addresses, numbers, keys. It does not find names, streets, or a secret that looks like a word.
Where replacing could break a value's own form (JSON, arrays), a value in which anything is found is redacted whole.

Every pattern is a regular expression in the strict sense (no back reference), so that PostgreSQL matches it in time that
grows with the text alone, and is collated byte by byte.
"""

from __future__ import annotations

import re

from governance.catalogue.model import Column
from governance.masking.masks import redact
from governance.masking.masks.json_text import REDACTED, unless_unsafe
from governance.masking.types import Family, bytewise, collated_as_usual, family_of, quote_text

# In bytes. A longer text is not searched, and not shown.
LONGEST = 1_000_000
TOO_LONG = "[too long to be scrubbed]"

_SPACE = "[:space:]"


def _any_case(words: str) -> str:
    return re.sub("[a-z]", lambda letter: f"[{letter[0]}{letter[0].upper()}]", words)


# --- What is found ----------------------------------------------------------------------------------------------------
# PostgreSQL builds a pattern's automaton anew for each value: the smaller a pattern, the cheaper. So alternatives share
# what they can, counts are low, and there are no constraints on word boundaries where finding too much does no harm.

_KEY_WORDS = _any_case(
    "passw(?:or)?d|passphrase|passcode|passwort|kennwort|pwd|secret|token|(?:api|access|private|secret)[_ -]?key"
    "|credentials?|authorization|[[:<:]](?:cvv|cvc|pin|ssn)"
)
_TOKEN = "[A-Za-z0-9_.-]{12,}"
_PREFIXES = "A[KS]IA|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|[prs]k_(?:live|test)_|sk-|AIza|ya29[.]|SG[.]|npm_|hf_"

_SECRETS = (
    # A private key, to its end or the end of the text.
    "-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-[^-])*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    # JSON Web Tokens, and keys whose makers gave them a prefix.
    f"[[:<:]](?:eyJ|{_PREFIXES}){_TOKEN}",
    f"{_any_case('bearer')}[{_SPACE}]+[A-Za-z0-9._~+/=-]{{16,}}",
)
_KEYED = (
    # `password: …`, `"token": "…"`, `Authorization: Basic …`.
    f"""(?:{_KEY_WORDS})["']?[{_SPACE}]*[:=][{_SPACE}]*(?:(?:{_any_case("basic|bearer|digest")})[{_SPACE}]+)?"""
    f"""(?:"[^"]*"?|'[^']*'?|[^{_SPACE},;"']+)""",
)
# With a user or a password before the host.
_ADDRESSES = (f"://(?:[^{_SPACE}/?#]*|[^{_SPACE}/:@]+:[^{_SPACE}]*)@",)
# Nothing before the @ is only a handle (`@name`), and stays.
_EMAILS = (f"""(?:"[^"]+"|[^{_SPACE}@<>()",;:]+)@[^{_SPACE}@<>()"',;:]+""",)
_NUMBERS = (
    # Payment cards, bank accounts and every other number as long: whether its check digits are right is not asked.
    "[0-9](?:[ .-]?[0-9]){12,}",
    "[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,}",
    # National identity numbers by form: US and others of three parts, Nordic, British, Spanish, Italian, Brazilian, Indian.
    "[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}",
    "[0-9]{6,8}[-+A][0-9]{3}[0-9A-Z]",
    "[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d][[:>:]]",
    "[0-9XYZ][0-9]{7}-?[A-Z][[:>:]]",
    "[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]",
    "[0-9]{3}[.][0-9]{3}[.][0-9]{3}-[0-9]{2}",
    "[0-9]{4} [0-9]{4} [0-9]{4}",
)
_PHONES = (
    "(?:[+][ (]*|[[:<:]]00)[1-9](?:[ ()./-]{0,3}[0-9]){6,}",
    # Of one country: a leading 0, or the North American form.
    "[[:<:]]0[1-9](?:[ ()/-]{0,2}[0-9]){7,}",
    "[(]0[0-9]+[)](?:[ /-]?[0-9]){4,}",
    "(?:[(][0-9]{3}[)][ .-]?|[[:<:]][0-9]{3}[ .-])[0-9]{3}[ .-]?[0-9]{4}",
)
_HOSTS = (
    "[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+",
    # IPv6, and the addresses of network cards.
    "[0-9A-Fa-f]+:[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:]*",
    "[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}",
)

# In this order: a password in an address looks like the name before an `@`. No replacement holds anything to be found.
STEPS = tuple(
    ("|".join(patterns), replacement)
    for patterns, replacement in (
        (_SECRETS, "[secret]"),
        (_KEYED, "[secret]"),
        (_ADDRESSES, "://[secret]"),
        (_EMAILS, "[email]"),
        (_NUMBERS, "[number]"),
        (_PHONES, "[phone]"),
        (_HOSTS, "[address]"),
    )
)
# The first two steps cost most, and are taken only where one of them could find something; then all are. A text in which
# neither hint is found is let through after a quick look.
TOKEN_HINT = "[A-Za-z0-9_.~+/=-]{14}|-----BEGIN"
# Looked for only where there is a `:` or a `=`.
KEY_HINT = _any_case("pass|kennwort|pwd|secret|token|key|credential|authorization|cvv|cvc|pin|ssn")
OTHER_HINT = "|".join(
    (
        "@",
        "[0-9](?:[ ().:/+A-]{0,3}[0-9]){5}",
        "[0-9][.][0-9]+[.][0-9]",
        ":[0-9A-Fa-f]*:[0-9A-Fa-f]*:",
        "(?:[0-9A-Fa-f]{2}-){5}",
        "[A-Z]{6}[0-9]{2}",
    )
)
FIRST_OF_OTHERS = 2


def expression(column: Column, data_class: str, value: str) -> str:
    family, redacted = family_of(column), redact.expression(column, data_class, value)
    if family is Family.TEXT:
        shaped = _scrubbed(value)
    elif family is Family.JSON:
        shaped = unless_unsafe(column, value, lambda json: _whole(f"{json}::pg_catalog.text", json, REDACTED))
    elif column.base_type in ("text[]", "character varying[]"):
        shaped = _whole(f"{value}::pg_catalog.text", value, redacted)
    else:
        return redacted
    return f"(CASE WHEN {value} IS NULL THEN NULL ELSE {shaped} END)::{column.base_type}"


def _scrubbed(value: str) -> str:
    text = f"{value}::pg_catalog.text"
    return (
        f"CASE WHEN {_too_long(text)} THEN '{TOO_LONG}'"
        f" WHEN {_may_hold_secrets(text)} THEN {replaced(value, 0)}"
        f" WHEN {_matches(text, OTHER_HINT)} THEN {replaced(value, FIRST_OF_OTHERS)} ELSE {text} END"
    )


def replaced(value: str, first: int) -> str:
    """After all steps from the `first` on."""
    found = bytewise(value)
    for pattern, replacement in STEPS[first:]:
        found = f"pg_catalog.regexp_replace({found}, {quote_text(pattern)}, {quote_text(replacement)}, 'g')"
    return collated_as_usual(found)


def _whole(text: str, value: str, redacted: str) -> str:
    """All or nothing."""
    found = " OR ".join(_matches(text, pattern) for pattern, _ in STEPS)
    hinted = f"{_may_hold_secrets(text)} OR {_matches(text, OTHER_HINT)}"
    return f"CASE WHEN {_too_long(text)} OR ({hinted}) AND ({found}) THEN {redacted} ELSE {value} END"


def _may_hold_secrets(text: str) -> str:
    assigns = " OR ".join(
        f"pg_catalog.strpos({bytewise(text)}, '{sign}') OPERATOR(pg_catalog.>) 0" for sign in (":", "=")
    )
    return f"({_matches(text, TOKEN_HINT)} OR ({assigns}) AND {_matches(text, KEY_HINT)})"


def _too_long(text: str) -> str:
    return f"pg_catalog.octet_length({text}) OPERATOR(pg_catalog.>) {LONGEST}"


def _matches(text: str, pattern: str) -> str:
    return f"{bytewise(text)} OPERATOR(pg_catalog.~) {quote_text(pattern)}"
