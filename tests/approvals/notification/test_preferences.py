"""What people choose, and the digest: once a day, at their hour, also when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from approvals import services
from approvals.eligibility import may_review
from approvals.models import Notification, NotificationPreference, Request
from approvals.notification import digests, history, preferences
from approvals.notification.preferences import PreferenceRefused
from audit.models import Entry
from identity.models import User
from tests.approvals.notification.conftest import Deliver, Park
from tests.approvals.notification.sinks import MailServer, text_of
from tests.factories import Cast, make_user

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
SAVED: dict[str, Any] = {"email": "each", "muted": [], "digest_hour": 8, "time_zone": "UTC"}


def save(user: User, **changes: Any) -> NotificationPreference:
    return preferences.save(user, **{**SAVED, **changes})


def next_hour(user: User) -> datetime:
    """The first moment at which their next digest is due."""
    preference = preferences.preference_of(user)
    now = timezone.now()
    return digests.last_due(now + DAY, ZoneInfo(preference.time_zone), preference.digest_hour)


# --- The hour ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "hour", "utc"),
    [
        (date(2026, 3, 28), 8, "07:00"),
        (date(2026, 3, 29), 8, "06:00"),
        # 02:00 does not exist on that day: clocks show 03:00 instead.
        (date(2026, 3, 29), 2, "01:00"),
        (date(2026, 10, 25), 8, "07:00"),
        # 02:00 comes twice on that day: the first counts.
        (date(2026, 10, 25), 2, "00:00"),
    ],
)
def test_the_hour_is_that_of_clocks_there(day: date, hour: int, utc: str):
    due = digests.last_due(datetime.combine(day, time(23), STOCKHOLM), STOCKHOLM, hour)
    assert (due.date(), f"{due:%H:%M}") == (day, utc)


@given(
    st.integers(0, 2 * 365 * 24),
    st.integers(0, 23),
    st.sampled_from(
        ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC"]
    ),
)
def test_each_day_has_one_digest_wherever_one_lives(start: int, hour: int, name: str):
    zone = ZoneInfo(name)
    now = datetime(2026, 1, 1, tzinfo=UTC) + start * HOUR
    steps = [digests.last_due(now + timedelta(minutes=20 * n), zone, hour) for n in range(3 * 72 + 1)]
    days = [moment.astimezone(zone).date() for moment in dict.fromkeys(steps)]
    assert steps == sorted(steps)
    assert len(days) == len(set(days))
    assert all((later - earlier) == DAY for earlier, later in pairwise(days))
    assert all(moment <= now + timedelta(minutes=20 * n) for n, moment in enumerate(steps))


# --- The digest ----------------------------------------------------------------------------------------------------


def test_a_digest_lists_what_waits_and_what_ended_and_comes_once(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    for user in (reached.rita, reached.alice):
        save(user, email="digest")
    first, second = park(), park("DELETE FROM cards")
    for request in (first, second):
        Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() + 3 * DAY)
    services.review(first.pk, reached.principal(reached.dora), "reject", "no")
    deliver()
    assert mail.to == ["dora@example.com"]
    due = next_hour(reached.rita)
    assert digests.make_due(due - timedelta(seconds=1)) == 0
    assert (digests.make_due(due), digests.make_due(due + HOUR)) == (2, 0)
    deliver(due)
    letters = {str(one["To"]): text_of(one) for one in mail.letters[1:]}
    assert set(letters) == {"rita@example.com", "alice@example.com"}
    assert "Delete on public.cards" in letters["rita@example.com"]
    assert str(second.pk) in letters["rita@example.com"]
    assert str(first.pk) not in letters["rita@example.com"]
    assert "Rejected: Delete on public.orders" in letters["alice@example.com"]
    assert set(Notification.objects.filter(in_digest=True).values_list("state", flat=True)) == {"sent"}


def test_an_empty_digest_is_not_sent(mail: MailServer, reached: Cast, deliver: Deliver):
    save(reached.rita, email="digest")
    assert digests.make_due(next_hour(reached.rita)) == 0
    assert Notification.objects.count() == 0


def test_what_waits_is_listed_again_the_next_day_and_what_ended_is_not(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    save(reached.rita, email="digest")
    Request.objects.filter(pk=park().pk).update(expires_at=timezone.now() + 5 * DAY)
    due = next_hour(reached.rita)
    for day in range(2):
        assert digests.make_due(due + day * DAY) == 1
        deliver(due + day * DAY)
    assert [to for to in mail.to if to.startswith("rita")] == ["rita@example.com"] * 2


def test_whoever_turns_the_digest_on_gets_the_first_at_the_next_hour(mail: MailServer, reached: Cast, park: Park):
    save(reached.rita, email="digest")
    park()
    assert digests.make_due(timezone.now()) == 0


def test_whoever_turns_the_digest_off_gets_what_waited_for_it(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    save(reached.rita, email="digest")
    park()
    save(reached.rita, email="each")
    deliver()
    assert sorted(mail.to) == ["dora@example.com", "rita@example.com"]


# --- Choices -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "pigeon"}, "email"),
        ({"muted": ["nothing"]}, "muted"),
        ({"digest_hour": 24}, "digest_hour"),
        ({"time_zone": "Nowhere/Land"}, "time_zone"),
        ({"address": "rita"}, "address"),
        ({"address": "rita@example.com\nBcc: eve@example.com"}, "address"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_saved(control_db: str, wrong: dict[str, Any], field: str):
    with pytest.raises(PreferenceRefused) as refused:
        save(make_user("rita"), **wrong)
    assert refused.value.field == field
    assert NotificationPreference.objects.count() == 0


def test_another_address_is_recorded_without_it(control_db: str):
    save(make_user("rita"), address="rita@home.example")
    assert User.objects.get(username="rita").email == "rita@home.example"
    header = bytes(Entry.objects.get(kind="user.changed").header)
    assert b'"actor":"user:rita"' in header
    assert b'"changes":["email"]' in header
    assert b"home.example" not in header


def test_p5_nobody_gets_to_review_what_runs_for_them_by_giving_another_address(reached: Cast, park: Park):
    request = park(on_behalf_of="Rita <rita@example.com>")
    for address in ("other@example.com", ""):
        save(reached.rita, address=address)
        assert not may_review(Request.objects.get(pk=request.pk), reached.principal(reached.rita)).allowed
    assert list(Notification.objects.values_list("user__username", flat=True)) == ["dora"]


def test_whoever_reviews_is_warned_before_hearing_nothing_of_it(mail: MailServer, reached: Cast):
    assert preferences.warnings_for(reached.rita, save(reached.rita)) == []
    muted = preferences.warnings_for(reached.rita, save(reached.rita, muted=["asked", "glass-broken"]))
    assert "You review for dba" in muted[0]
    assert "breaks the glass" in muted[1]
    assert len(preferences.warnings_for(reached.rita, save(reached.rita, email="off"))) == 2
    assert preferences.warnings_for(reached.mallory, save(reached.mallory, email="off")) == []


def test_a_test_arrives_also_for_those_who_want_a_digest(mail: MailServer, reached: Cast, deliver: Deliver):
    save(reached.rita, email="digest")
    history.send_test(reached.rita)
    with pytest.raises(PreferenceRefused, match="on its way"):
        history.send_test(reached.rita)
    deliver()
    assert mail.subjects == ["[Countersign] Countersign: a test"]
    assert history.told_to(reached.rita)[0].row.state == "sent"


def test_times_in_messages_are_those_of_the_person(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    save(reached.rita, time_zone="Asia/Kolkata")
    request = park()
    deliver()
    (letter,) = [one for one in mail.letters if one["To"] == "rita@example.com"]
    local = request.expires_at.astimezone(ZoneInfo("Asia/Kolkata"))
    assert f"{local:%Y-%m-%d %H:%M} Asia/Kolkata" in text_of(letter)
