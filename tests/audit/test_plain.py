"""What others wrote, on terminals and in logs."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from audit import ledger
from audit.models import Witness
from audit.plain import as_typed, one_line
from audit.transparency import witnesses
from audit.transparency.stores import WitnessError

ESCAPE = "\x1b]0;gone\x07\x1b[2J"


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    assert one_line(text).isprintable()
    assert as_typed(text).isprintable()


@pytest.mark.parametrize("text", ["agent:bot", "Åsa Öberg", "a\\x1b", "名前"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert one_line(text) == as_typed(text) == text


def test_unseen_characters_are_named() -> None:
    assert one_line("a\r\nERROR b\x1b[31m\u202e") == r"a ERROR b\x1b[31m\u202e"
    assert as_typed("a\nb") == r"a\nb"


def test_a_subject_s_name_does_nothing_to_the_terminal_of_who_lists_it(control_db: str) -> None:
    eve = f"eve{ESCAPE}\nagent:other  since"
    ledger.append("statement.denied", payload={"sql": "x"}, principal="agent:bot", on_behalf_of=eve)
    out = StringIO()
    call_command("ledger", "erase", "--list", stdout=out)
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_a_witness_s_answer_does_nothing_to_terminals_and_logs(
    control_db: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = Witness.objects.create(name="office", kind="tlog-witness", address="https://witness.example.com")
    witnesses._note_failure(office, WitnessError(f"the witness answered HTTP 500: {ESCAPE}\r\nCRITICAL forged"))
    office.refresh_from_db()
    assert office.problem == r"the witness answered HTTP 500: \x1b]0;gone\x07\x1b[2J CRITICAL forged"
    assert "\x1b" not in caplog.text
