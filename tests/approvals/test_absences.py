"""Absences: who may set them, for how long, and that the ledger tells."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from approvals import absences
from approvals.absences import AbsenceRefused, UnknownAbsence
from approvals.models import Absence
from audit.models import Entry
from audit.search import entry_with_payload
from identity.models import User
from tests.factories import Cast, make_user


def at(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


def leave(cast: Cast, actor: Any, person: User, delegate: User, **more: Any) -> Absence:
    times = {"starts_at": at(), "ends_at": at(days=7)} | more
    return absences.set_absence(cast.principal(actor), person, delegate, **times)


def test_a_person_is_away_and_names_who_speaks(cast: Cast) -> None:
    leave(cast, cast.rita, cast.rita, cast.mallory, reason="parental leave")
    assert absences.standing_in_for(cast.mallory.pk) == [cast.rita]
    assert absences.spokespeople_of(cast.rita.pk) == [cast.mallory]


def test_it_holds_from_its_start_to_its_end(cast: Cast) -> None:
    leave(cast, cast.rita, cast.rita, cast.mallory, starts_at=at(days=1), ends_at=at(days=2))
    spoken = [bool(absences.standing_in_for(cast.mallory.pk, at(hours=hours))) for hours in (0, 36, 49)]
    assert spoken == [False, True, False]


def test_the_ledger_tells_of_start_and_end(cast: Cast) -> None:
    absence = leave(cast, cast.rita, cast.rita, cast.mallory, reason="an operation")
    absences.end_absence(cast.principal(cast.mallory), absence.pk)
    told = Entry.objects.filter(kind__startswith="absence.").order_by("index")
    assert [(one.kind, one.fields["actor"]) for one in told] == [
        ("absence.set", "user:rita"), ("absence.ended", "user:mallory")
    ]  # fmt: skip
    assert (told[0].fields["person"], told[0].fields["delegate"]) == ("user:rita", "user:mallory")


def test_why_somebody_is_away_is_sealed_in_the_ledger(cast: Cast) -> None:
    leave(cast, cast.rita, cast.rita, cast.mallory, reason="an operation")
    assert not any(b"operation" in bytes(entry.header) for entry in Entry.objects.all())
    detail = entry_with_payload(Entry.objects.get(kind="absence.set").index)
    assert detail is not None
    assert detail.payload == {"reason": "an operation"}


def test_back_early_ends_it_at_once(cast: Cast) -> None:
    absence = leave(cast, cast.rita, cast.rita, cast.mallory)
    absences.end_absence(cast.principal(cast.rita), absence.pk)
    assert absences.standing_in_for(cast.mallory.pk) == []
    with pytest.raises(AbsenceRefused, match="over already"):
        absences.end_absence(cast.principal(cast.rita), absence.pk)


@pytest.mark.parametrize(
    ("who", "may"), [("rita", True), ("mallory", True), ("root", True), ("dora", False), ("bot", False)]
)
def test_who_may_end_it(cast: Cast, who: str, may: bool) -> None:
    root = make_user("root", is_administrator=True)
    absence = leave(cast, cast.rita, cast.rita, cast.mallory)
    actor = cast.principal(root if who == "root" else getattr(cast, who))
    if may:
        assert absences.end_absence(actor, absence.pk).ended_at is not None
    else:
        with pytest.raises(UnknownAbsence):
            absences.end_absence(actor, absence.pk)


def test_one_that_does_not_exist_is_unknown(cast: Cast) -> None:
    with pytest.raises(UnknownAbsence):
        absences.end_absence(cast.principal(cast.rita), uuid.uuid4())


def test_an_administrator_sets_it_for_somebody_else(cast: Cast) -> None:
    root = make_user("root", is_administrator=True)
    assert leave(cast, root, cast.rita, cast.dora).created_by == "user:root"


def test_p5_an_administrator_does_not_become_the_voice_of_somebody_else(cast: Cast) -> None:
    root = make_user("root", is_administrator=True)
    with pytest.raises(AbsenceRefused, match="Nobody makes themselves"):
        leave(cast, root, cast.rita, root)


@pytest.mark.parametrize(
    ("actor", "person", "delegate", "times", "reason"),
    [
        ("mallory", "rita", "dora", {}, "Only administrators"),
        ("bot", "rita", "dora", {}, "Agents"),
        ("rita", "rita", "rita", {}, "stands in for themselves"),
        ("rita", "rita", "dora", {"ends_at": at(days=-1)}, "must end after it starts"),
        ("rita", "rita", "dora", {"starts_at": at(days=-3)}, "more than a day ago"),
        ("rita", "rita", "dora", {"starts_at": at(days=-3), "ends_at": at(days=-2)}, "over already"),
        ("rita", "rita", "dora", {"ends_at": at(days=400)}, "more than a year"),
        ("rita", "rita", "dora", {"reason": "x" * 201}, "more than 200"),
    ],
)
def test_what_is_no_absence_is_refused(
    cast: Cast, actor: str, person: str, delegate: str, times: dict[str, Any], reason: str
) -> None:
    with pytest.raises(AbsenceRefused, match=reason):
        leave(cast, getattr(cast, actor), getattr(cast, person), getattr(cast, delegate), **times)
    assert not Absence.objects.exists()


def test_two_absences_of_one_person_do_not_overlap(cast: Cast) -> None:
    leave(cast, cast.rita, cast.rita, cast.mallory)
    with pytest.raises(AbsenceRefused, match="away already"):
        leave(cast, cast.rita, cast.rita, cast.dora, starts_at=at(days=3), ends_at=at(days=9))


def test_a_closed_account_speaks_for_nobody(cast: Cast) -> None:
    User.objects.filter(pk=cast.mallory.pk).update(is_active=False)
    with pytest.raises(AbsenceRefused, match="closed"):
        leave(cast, cast.rita, cast.rita, User.objects.get(pk=cast.mallory.pk))


def test_colleagues_see_who_is_away_and_strangers_do_not(cast: Cast) -> None:
    leave(cast, cast.rita, cast.rita, cast.mallory)
    seen = {who: absences.absences_for(cast.principal(getattr(cast, who))).count() for who in ("dora", "olaf", "alice")}
    assert seen == {"dora": 1, "olaf": 1, "alice": 0}
