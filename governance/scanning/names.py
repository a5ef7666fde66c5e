"""What a column's name says about its values, in several languages. Pure.

A name is cut into words: `customerEMail`, `customer_e_mail` and `CUSTOMER-EMAIL` all hold `e mail`. To teach it a word: add
it to PHRASES under the class that it tells of, and a line to the tables of `tests/governance/scanning/test_names.py`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# How much a name is worth by itself: it names the thing, it probably does, it may.
STRONG, MEDIUM, WEAK = 0.75, 0.55, 0.35

# By class and worth. Words of one phrase must stand side by side; accents are folded away on both sides.
PHRASES: dict[str, dict[float, str]] = {
    "email": {
        STRONG: "email|e mail|mail address|mailadresse|epost|e post|epostadress|courriel|correo electronico|"
        "emailaddress|email address|posta elettronica",
        MEDIUM: "mail|correo",
    },
    "phone": {
        STRONG: "phone|telephone|telefon|telefono|telefone|telefonnummer|telefonnr|phonenumber|mobile number|mobilnummer|"
        "mobiltelefon|handynummer|cellphone|cell phone|msisdn|mobilephone|puhelin|numero de telephone",
        MEDIUM: "tel|tlf|mobil|mobile|handy|fax|celular|movil|portable|cell",
    },
    "person_name": {
        STRONG: "full name|fullname|first name|firstname|last name|lastname|surname|given name|family name|middle name|"
        "maiden name|fornamn|efternamn|vorname|nachname|prenom|nom de famille|apellido|apellidos|cognome|etternavn|"
        "fornavn|efternavn|voornaam|achternaam|imie|nazwisko|cardholder|card holder|holder name|contact name|"
        "customer name|employee name|patient name|person name|patient|sobrenome",
        MEDIUM: "contact person|beneficiary|next of kin|signatory",
    },
    "postal_address": {
        STRONG: "street|street address|postal address|home address|shipping address|billing address|delivery address|"
        "mailing address|address line|address1|address2|gatuadress|postadress|anschrift|strasse|adresse|adress|direccion|"
        "indirizzo|endereco|adres|osoite|domicilio|residence address",
        MEDIUM: "address|addr",
    },
    "date_of_birth": {
        STRONG: "dob|date of birth|dateofbirth|birth date|birthdate|birthday|birth day|born|born on|fodelsedatum|"
        "geburtsdatum|geburtstag|date de naissance|naissance|fecha nacimiento|fecha de nacimiento|data di nascita|"
        "data nascimento|geboortedatum|fodselsdato|syntymaaika|fodt",
        MEDIUM: "birth",
    },
    "national_id": {
        STRONG: "ssn|social security|social security number|national id|national identity|national insurance|"
        "national insurance number|nino|personnummer|personnr|fodselsnummer|cpr|cpr number|henkilotunnus|hetu|bsn|"
        "burgerservicenummer|codice fiscale|codicefiscale|pesel|cpf|aadhaar|aadhar|dni|nie|nir|curp|sin number|"
        "steuer id|steueridentifikationsnummer|identity number|id number|id card number|passport|passport number|"
        "passport no|drivers license|driver licence|driving licence|rodne cislo|kennitala|nhs number|tax id|rrn|"
        "insee|numero securite sociale|nationalid|socialsecuritynumber",
        WEAK: "tin|nif",
    },
    "card_number": {
        STRONG: "card number|card no|card num|cardnumber|cardno|credit card|creditcard|creditcard number|kreditkarte|"
        "kortnummer|kartennummer|numero de carte|numero de tarjeta|cc number|cc num|ccnum|debit card|payment card",
        MEDIUM: "pan|primary account number",
    },
    "card_security_code": {
        STRONG: "cvv|cvv2|cvc|cvc2|csc|card security code|security code|card verification|cid code|pruefziffer karte",
    },
    "bank_account": {
        STRONG: "iban|bank account|bank account number|account number|bankkonto|kontonummer|bankgiro|clearing number|"
        "sort code|routing number|numero de compte|cuenta bancaria|rekeningnummer|conto corrente|bankaccount",
        MEDIUM: "account no|acct no|konto nr",
    },
    "salary": {
        STRONG: "salary|salaries|lon|lonn|manadslon|arslon|gehalt|salaire|salario|stipendio|wage|wages|compensation|"
        "base pay|gross pay|net pay|annual pay|hourly rate|salaris|palkka|wynagrodzenie|remuneration",
        MEDIUM: "bonus|income|einkommen|inkomst|revenu|pay rate",
    },
    "secret": {
        STRONG: "password|passwd|passwort|losenord|mot de passe|contrasena|senha|wachtwoord|haslo|pwd|passphrase|secret|"
        "client secret|api key|apikey|access key|private key|secret key|access token|refresh token|auth token|"
        "session token|bearer|token|password hash|pwhash|credential|credentials|otp secret|totp|recovery code|"
        "recovery codes|webhook secret|signing key|encryption key|ssh key|apitoken|accesstoken",
        MEDIUM: "pin code|session key|security answer|pin",
    },
    "free_text": {
        WEAK: "note|notes|comment|comments|remark|remarks|description|body|message|text|content|memo|anteckning|kommentar|"
        "bemerkung|notiz|commentaire|nota|notas|comentario|feedback|details|reason|summary|transcript|bio|about",
    },
}

# The last word says that this is about the thing, not the thing: `email_verified`, `token_count`, `password_changed_at`.
ABOUT = frozenset(
    "id ids at on count counts total type types kind status state flag verified confirmed valid validated enabled disabled "
    "length len format template subject expires expiry expired updated created changed sent opt optin optout consent policy "
    "limit limits currency brand attempts required method provider version preference preferences date time day score rank "
    "category domain prefix bytes size index idx ref uri url link label language locale country scheme algorithm strength "
    "per month year usage used cost price ttl min max avg sum grade band visible hidden sort order".split()
)
ABOUT_FIRST = frozenset("is has was can should num n count total allow allows needs wants".split())
# Words before `address` that make it something else.
NOT_POSTAL = frozenset(
    "ip ipv4 ipv6 mac web url host memory wallet bitcoin eth network remote server email mail e".split()
)
# `name`, `postcode`, … tell of a person only where the relation (or the JSON object around them) is about people.
PEOPLE = frozenset(
    "customer customers client clients user users person persons people employee employees staff member members contact "
    "contacts patient patients student students subscriber subscribers applicant applicants candidate candidates account "
    "accounts profile profiles guest guests driver drivers tenant tenants author authors passenger passengers kund kunder "
    "kunde kunden mitarbeiter personal personer anstalld anstallda benutzer utilisateur utilisateurs cliente clientes usuario "
    "usuarios empleado empleados employe employes recipient recipients sender owner holder beneficiary guardian buyer buyers "
    "shipping billing delivery address addresses visitor visitors lead leads donor donors resident residents".split()
)
CARDS = frozenset("card cards payment_cards creditcard creditcards".split())
OF_PEOPLE = {
    "person_name": frozenset("name names namn navn nombre nom nome naam nimi".split()),
    "postal_address": frozenset(
        "postcode postalcode zip zipcode plz postnummer postleitzahl cep city town ort stad ville ciudad".split()
    ),
}
# Places alone identify nobody: only codes of the post are proposed by name.
PLACES = frozenset("city town ort stad ville ciudad".split())


@dataclass(frozen=True, slots=True)
class NameClue:
    """`words` is the part of the name that told."""

    data_class: str
    worth: float
    words: str


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """`customerE-Mail2` → customer, e, mail2. Lower case without accents."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    cut = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return tuple(re.findall(r"[a-z0-9]+", cut.lower()))


_PHRASES = [
    (tuple(phrase.split()), data_class, worth)
    for data_class, by_worth in PHRASES.items()
    for worth, phrases in by_worth.items()
    for phrase in phrases.split("|")
]


def clues_of(name: str, around: str = "") -> tuple[NameClue, ...]:
    """One clue a class at most, the best first. `around`: the relation's name, or the JSON object's."""
    words = words_of(name)
    if not words or words[0] in ABOUT_FIRST:
        return ()
    about = len(words) > 1 and words[-1] in ABOUT
    found: dict[str, NameClue] = {}
    for phrase, data_class, worth in _PHRASES:
        if _stands_in(phrase, words) and not (about and words[-1] not in phrase) and not _other_address(words, phrase):
            _keep(found, NameClue(data_class, worth, " ".join(phrase)))
    if not about:
        for clue in _clues_of_surroundings(words, around):
            _keep(found, clue)
    return tuple(sorted(found.values(), key=lambda clue: (-clue.worth, clue.data_class)))


def _keep(found: dict[str, NameClue], clue: NameClue) -> None:
    known = found.get(clue.data_class)
    if known is None or (clue.worth, len(clue.words)) > (known.worth, len(known.words)):
        found[clue.data_class] = clue


def _stands_in(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1))


def _other_address(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """`ip_address` is no postal address."""
    return (
        phrase[-1] in ("address", "addr", "adress", "adresse", "adres")
        and bool(NOT_POSTAL & set(words[:-1]))
        and phrase[0] not in ("mail", "email")
    )


def _clues_of_surroundings(words: tuple[str, ...], around: str) -> list[NameClue]:
    setting = set(words_of(around))
    if setting & CARDS and words in (("number",), ("no",), ("num",)):
        return [NameClue("card_number", MEDIUM, words[0])]
    if not setting & PEOPLE:
        return []
    return [
        NameClue(data_class, WEAK if words[-1] in PLACES else MEDIUM, words[-1])
        for data_class, known in OF_PEOPLE.items()
        if words[-1] in known and len(words) <= 2
    ]
