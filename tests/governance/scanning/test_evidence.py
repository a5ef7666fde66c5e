"""What is proposed, and what must not be: columns as they are met."""

from __future__ import annotations

import pytest

from governance.masking.types import Family
from governance.scanning.evidence import THRESHOLD, Finding, Subject, judge
from governance.scanning.validators import detectors
from tests.governance.scanning.columns import MUST, MUST_NOT, TODAY, Make, values_of


def found(relation: str, column: str, family: Family, values: list[str], *, is_key: bool = False) -> Finding | None:
    return judge(Subject(column, relation, family, values, is_key), detectors(TODAY))


def certain(*arguments: object) -> Finding:
    finding = found(*arguments)  # type: ignore[arg-type]
    assert finding is not None
    return finding


@pytest.mark.parametrize(
    ("relation", "column", "family", "make", "expected"), MUST, ids=[f"{row[0]}.{row[1]}" for row in MUST]
)
def test_what_is_sensitive_is_proposed(relation: str, column: str, family: Family, make: Make, expected: str) -> None:
    finding = certain(relation, column, family, values_of(make))
    assert finding.data_class == expected
    assert finding.confidence >= THRESHOLD


@pytest.mark.parametrize(
    ("relation", "column", "family", "make"), MUST_NOT, ids=[f"{row[0]}.{row[1]}" for row in MUST_NOT]
)
def test_what_is_not_sensitive_is_left_alone(relation: str, column: str, family: Family, make: Make) -> None:
    assert found(relation, column, family, values_of(make)) is None


def test_a_name_and_values_that_agree_are_all_but_certain() -> None:
    agreeing = {"email", "card_number", "bank_account"}
    seen = {
        (relation, column): certain(relation, column, family, values_of(make)).confidence
        for relation, column, family, make, expected in MUST
        if expected in agreeing and relation != "t"
    }
    assert {place: confidence for place, confidence in seen.items() if confidence < 90} == {}


def test_values_that_contradict_a_name_take_its_worth_away() -> None:
    assert found("t", "email", Family.TEXT, ["yes", "no", "perhaps"] * 20) is None


def test_a_name_alone_is_enough_where_there_are_no_values() -> None:
    finding = certain("customers", "email", Family.TEXT, [])
    assert (finding.confidence, finding.share) == (75, None)
    assert "no values to check" in finding.reason


def test_few_values_say_less_than_many() -> None:
    mails = [f"person{n}@example.com" for n in range(50)]
    assert found("t", "x", Family.TEXT, mails[:2]) is None
    assert certain("t", "x", Family.TEXT, mails[:3]).confidence < certain("t", "x", Family.TEXT, mails).confidence


def test_an_integer_key_is_never_proposed() -> None:
    cards = values_of(next(row[3] for row in MUST if row[1] == "c6"))
    assert found("t", "c6", Family.INTEGER, cards, is_key=True) is None


def test_the_same_column_gives_the_same_finding() -> None:
    mails = [f"person{n}@example.com" for n in range(50)]
    assert certain("t", "x", Family.TEXT, mails) == certain("t", "x", Family.TEXT, mails)


def test_a_value_more_or_less_is_no_new_evidence_and_a_change_of_sort_is() -> None:
    mails, words = [f"person{n}@example.com" for n in range(60)], [f"word {n}" for n in range(30)]
    before = certain("t", "email", Family.TEXT, mails).evidence
    assert certain("t", "email", Family.TEXT, [*mails, words[0]]).evidence == before
    assert certain("t", "email", Family.TEXT, [*mails, *words]).evidence != before


@pytest.mark.parametrize(("relation", "column", "family", "make", "expected"), MUST[::4])
def test_a_reason_tells_no_value(relation: str, column: str, family: Family, make: Make, expected: str) -> None:
    values = values_of(make)
    finding = certain(relation, column, family, values)
    assert not [value for value in values if len(value) > 3 and value in finding.reason]
