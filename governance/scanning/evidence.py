"""Weighs what a name says and what values are, to a class and a confidence from 0 to 100. The same input gives the same.

With `name` the worth of the name (0 to 0.75) and `values` the worth of the values (0 to 0.97), each independent of the other:

    confidence = 100 · (1 − (1 − name) · (1 − values))

`values` is the weight of the best detector × the share of distinct values that pass it, beyond what passes by chance ×
n / (n + 1) for n that pass. Values that speak against a name take most of its worth. Without a name only detectors that
prove something count, and only when most values pass. What stays below `THRESHOLD` is not proposed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from governance.classes import BUILT_IN
from governance.masking.types import Family
from governance.scanning.names import NameClue, clues_of
from governance.scanning.texts import identifiers_in, is_prose
from governance.scanning.validators import PROVEN, Detector

THRESHOLD = 50
MOST_CHECKED = 250
MOST_TEXTS = 60
# Without a name: what has no chance needs a few values to be believed, what has one needs more.
FEW, ENOUGH, MOST = 3, 8, 0.5
AGAINST = 0.2
# What is left of a name's worth when its values say otherwise; nothing proves a password or a name of a person wrong.
DISPROVED, DOUBTED = 0.25, 0.7
CHECKABLE = frozenset({"email", "phone", "card_number", "bank_account", "national_id"})

_TEXT = frozenset(BUILT_IN)
_NUMBERS = frozenset({"phone", "card_number", "national_id", "bank_account", "card_security_code", "salary"})
CLASSES_OF: dict[Family, frozenset[str]] = {
    Family.TEXT: _TEXT,
    Family.ARRAY: _TEXT,
    Family.INTEGER: _NUMBERS,
    Family.NUMBER: frozenset({"salary"}),
    Family.DATE: frozenset({"date_of_birth"}),
    Family.TIMESTAMP: frozenset({"date_of_birth"}),
    Family.TIMESTAMPTZ: frozenset({"date_of_birth"}),
    Family.UUID: frozenset({"secret"}),
    Family.BYTES: frozenset({"secret"}),
}
# By value alone: one in ten integers passes a checksum, and identities are kept as text.
ALONE_OF = {Family.TEXT: _TEXT, Family.ARRAY: _TEXT, Family.INTEGER: frozenset({"card_number"})}


@dataclass(frozen=True, slots=True)
class Subject:
    """`name` is the column's, or the key's that a JSON path ends in; `around` what it is in. `values` as text, no NULLs."""

    name: str
    around: str
    family: Family
    values: Sequence[str] = field(repr=False)
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """`share`: percent of checked values that passed, None where nothing was checked. `evidence` tells whether a later scan
    found something else; neither it nor `reason` holds a value."""

    data_class: str
    confidence: int
    reason: str
    share: int | None
    evidence: str


def judge(subject: Subject, detectors: Iterable[Detector]) -> Finding | None:
    """The class that most speaks for, if it is enough to propose it."""
    possible = CLASSES_OF.get(subject.family, frozenset())
    if not possible or (subject.is_key and subject.family is Family.INTEGER):
        return None
    values = _distinct(subject.values, MOST_CHECKED)
    clues = {clue.data_class: clue for clue in clues_of(subject.name, subject.around)}
    scores = _scores(values, [detector for detector in detectors if detector.data_class in possible], clues)
    found = [
        _weigh(subject, values, data_class, clues.get(data_class), scores.get(data_class))
        for data_class in possible - {"free_text"}
        if data_class in clues or data_class in scores
    ]
    if subject.family is Family.TEXT:
        found.append(_weigh_text(subject, values, clues.get("free_text")))
    enough = [one for one in found if one is not None and one.confidence >= THRESHOLD]
    return max(
        enough, key=lambda one: (one.confidence, BUILT_IN[one.data_class].sensitivity, one.data_class), default=None
    )


@dataclass(frozen=True, slots=True)
class _Score:
    detector: Detector
    passed: int
    share: float

    @property
    def worth(self) -> float:
        beyond_chance = max(0.0, (self.share - self.detector.chance) / (1 - self.detector.chance))
        return self.detector.weight * beyond_chance * self.passed / (self.passed + 1)


def _distinct(values: Sequence[str], most: int) -> list[str]:
    return list(dict.fromkeys(stripped for value in values if (stripped := value.strip())))[:most]


def _scores(values: list[str], detectors: list[Detector], clues: dict[str, NameClue]) -> dict[str, _Score]:
    """By class, the detector that says most."""
    best: dict[str, _Score] = {}
    if not values:
        return best
    for detector in detectors:
        if not detector.alone and detector.data_class not in clues:
            continue
        passed = sum(map(detector.passes, values))
        score = _Score(detector, passed, passed / len(values))
        known = best.get(detector.data_class)
        if known is None or (score.worth, score.share) > (known.worth, known.share):
            best[detector.data_class] = score
    return best


def _weigh(
    subject: Subject, values: list[str], data_class: str, clue: NameClue | None, score: _Score | None
) -> Finding | None:
    worth = score.worth if score else 0.0
    if clue is None:
        if score is None or not _speaks_alone(subject, score):
            return None
        name = 0.0
    else:
        name = clue.worth * _left_of_name(subject, values, data_class, score)
    confidence = min(99, round(100 * (1 - (1 - name) * (1 - worth))))
    return Finding(
        data_class,
        confidence,
        _reason(clue, score, len(values)),
        round(100 * score.share) if score else None,
        _digest(data_class, subject, clue.words if clue else "", score.detector.title if score else "", score),
    )


def _speaks_alone(subject: Subject, score: _Score) -> bool:
    detector = score.detector
    allowed = detector.alone and detector.data_class in ALONE_OF.get(subject.family, frozenset())
    return allowed and score.share >= MOST and score.passed >= (ENOUGH if detector.chance else FEW)


def _left_of_name(subject: Subject, values: list[str], data_class: str, score: _Score | None) -> float:
    if data_class == "secret" and len(values) * 10 < len(subject.values):
        # A few labels over and over are no secrets.
        return DISPROVED
    if score is None or score.share >= AGAINST or len(subject.values) < FEW:
        return 1.0
    return DISPROVED if data_class in CHECKABLE else DOUBTED


def _weigh_text(subject: Subject, values: list[str], clue: NameClue | None) -> Finding | None:
    """Longer text with identifiers in it. Short values count too: a contact column may hold an address now and then."""
    texts = values[:MOST_TEXTS]
    kinds: Counter[str] = Counter()
    holding = 0
    for text in texts:
        found = list(identifiers_in(text))
        holding += bool(found)
        kinds.update(found)
    if holding < FEW or holding * 50 < len(texts):
        return None
    share = holding / len(texts)
    worth = PROVEN * (0.55 + 0.45 * min(1.0, share / 0.2))
    name = clue.worth if clue else 0.0
    if not is_prose(texts) and clue is None:
        worth = min(worth, 0.7)
    told = ", ".join(kind for kind, _ in sorted(kinds.items()))
    reason = f"{_name_said(clue)} {round(100 * share)}\u202f% of {len(texts)} texts hold {told}."
    return Finding(
        "free_text",
        min(99, round(100 * (1 - (1 - name) * (1 - worth)))),
        reason,
        round(100 * share),
        _digest("free_text", subject, clue.words if clue else "", told, None),
    )


def _name_said(clue: NameClue | None) -> str:
    return f"The name says “{clue.words}”;" if clue else "The name does not tell, but"


def _reason(clue: NameClue | None, score: _Score | None, checked: int) -> str:
    if score is None:
        return f"{_name_said(clue)} there were no values to check."
    return f"{_name_said(clue)} {round(100 * score.share)}\u202f% of {checked} different values {score.detector.title}."


def _digest(data_class: str, subject: Subject, words: str, told: str, score: _Score | None) -> str:
    """Of what speaks for it, in coarse steps: a value more or less is not new evidence."""
    tenths = "" if score is None else str(round(10 * score.share))
    return hashlib.sha256("\n".join((data_class, subject.family, words, told, tenths)).encode()).hexdigest()[:32]
