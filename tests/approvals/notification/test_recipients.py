"""Who is told of what, and who never is."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import services
from approvals.absences import set_absence
from approvals.models import Grant, Notification, Request
from approvals.notification import preferences
from approvals.notification.messages import message_of
from approvals.notification.outbox import tell
from approvals.signals import grant_moved, request_noted
from gateway.pipeline import submit
from tests.approvals.notification.conftest import Deliver, Park, give_addresses
from tests.approvals.notification.sinks import MailServer
from tests.factories import Cast, make_agent, make_user

HOUR = timedelta(hours=1)


def told(event: str, *, waiting_only: bool = False) -> list[str]:
    rows = Notification.objects.filter(event=event, user__isnull=False)
    return sorted(
        rows.filter(state="waiting").values_list("user__username", flat=True)
        if waiting_only
        else rows.values_list("user__username", flat=True)
    )


def note(request: Request, event: str, **changes: Any) -> None:
    with transaction.atomic():
        Request.objects.filter(pk=request.pk).update(**changes)
        request.refresh_from_db()
        request_noted.send(Request, request=request, event=event)


def require(request: Request, *required: tuple[str, int, int]) -> None:
    asked = [{"group": group, "quorum": quorum, "stage": stage} for group, quorum, stage in required]
    Request.objects.filter(pk=request.pk).update(required=asked)


def make_grant(cast: Cast, kind: str = "break_glass", **more: Any) -> Grant:
    return Grant.objects.create(
        kind=kind, principal="agent:analyst-bot", agent=cast.bot, owner=cast.alice, datasource=cast.datasource,
        expires_at=timezone.now() + HOUR, **more,
    )  # fmt: skip


# --- Reviews wanted ------------------------------------------------------------------------------------------------


def test_p5_neither_the_owner_of_the_agent_nor_the_requester_is_asked(cast: Cast):
    cast.alice.groups.set(cast.rita.groups.all())
    bots = make_agent("rita-bot", cast.rita)
    submit(cast.submission("DELETE FROM orders"))
    submit(cast.submission("DELETE FROM cards", bots))
    submit(cast.submission("DELETE FROM customers", cast.dora))
    asked = Notification.objects.filter(event="asked").values_list("request__normal", "user__username")
    by_table = {
        table: sorted(name for text, name in asked if table in text) for table in ("orders", "cards", "customers")
    }
    assert by_table["orders"] == ["dora", "rita"]
    assert by_table["cards"] == ["alice", "dora"]
    assert "dora" not in by_table["customers"]


def test_strangers_auditors_and_closed_accounts_are_not_asked(cast: Cast, park: Park):
    gone = make_user("gone", "dba")
    gone.is_active = False
    gone.save()
    park()
    assert told("asked") == ["dora", "rita"]


def test_the_next_stage_is_asked_when_it_opens_and_each_person_once(cast: Cast, park: Park):
    for name in ("sven", "sara"):
        make_user(name, "security")
    request = park()
    require(request, ("dba", 1, 1), ("security", 1, 2))
    assert told("asked") == ["dora", "rita"]
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    assert told("asked") == ["dora", "rita", "sara", "sven"]
    note(request, "asked")
    assert told("asked") == ["dora", "rita", "sara", "sven"]


def test_a_reminder_reaches_those_who_have_not_decided_and_each_reminder_is_one(cast: Cast, park: Park):
    request = park()
    require(request, ("dba", 2, 1))
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    first = timezone.now()
    note(request, "reminded", reminded_at=first)
    note(request, "reminded", reminded_at=first)
    note(request, "reminded", reminded_at=first + HOUR)
    assert told("reminded") == ["dora", "dora"]


def test_an_edit_asks_everybody_again(cast: Cast, park: Park):
    request = park()
    note(request, "edited", revision=2)
    assert told("edited") == ["dora", "rita"]


def test_whoever_stands_in_is_asked_instead_of_who_is_away(cast: Cast, park: Park):
    now = timezone.now()
    person = cast.principal(cast.dora)
    set_absence(person, cast.dora, cast.mallory, starts_at=now - HOUR, ends_at=now + HOUR)
    park()
    assert told("asked") == ["mallory", "rita"]
    assert told("absence-set") == ["mallory"]


def test_where_nobody_who_stands_in_may_review_the_one_who_is_away_is_asked(cast: Cast, park: Park):
    now = timezone.now()
    set_absence(cast.principal(cast.dora), cast.dora, cast.alice, starts_at=now - HOUR, ends_at=now + HOUR)
    park()
    assert told("asked") == ["dora", "rita"]


def test_asking_thirty_people_takes_no_more_queries_than_asking_two(cast: Cast, park: Park):
    request = park(on_behalf_of="Customer care")
    counts = []
    for more in range(2):
        with CaptureQueriesContext(connection) as captured:
            tell("asked", request=request, about=str(more))
        counts.append(len(captured))
        for number in range(30):
            make_user(f"person{number}", "dba")
    assert counts[0] == counts[1]
    assert Notification.objects.filter(event="asked", key__contains="/1:").count() == 32


# --- Ends ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["failed", "drifted", "unknown"])
def test_those_who_reviewed_it_hear_of_a_bad_end_too(cast: Cast, park: Park, state: str):
    request = park()
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    tell(state, request=request)
    assert told(state) == ["alice", "rita"]


@pytest.mark.parametrize(("verdict", "event"), [("approve", "approved"), ("reject", "rejected")])
def test_whoever_answers_for_the_agent_hears_what_was_decided(cast: Cast, park: Park, verdict: str, event: str):
    request = park()
    services.review(request.pk, cast.principal(cast.rita), verdict, "a reason")
    assert told(event) == ["alice"]


def test_an_expiry_is_told(cast: Cast, park: Park):
    request = park()
    Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() - HOUR)
    services.expire_due()
    assert told("expired") == ["alice"]


# --- Grants --------------------------------------------------------------------------------------------------------


def test_broken_glass_is_told_to_administrators_the_groups_that_review_and_who_answers_for_it(cast: Cast):
    make_user("root", is_administrator=True)
    make_user("sara", "security")
    grant_moved.send(Grant, grant=make_grant(cast, required=[{"group": "security", "quorum": 1}]), event="glass-broken")
    assert told("glass-broken") == ["alice", "root", "sara"]


def test_where_the_grant_names_no_group_all_that_policy_names_are_told(cast: Cast):
    grant_moved.send(Grant, grant=make_grant(cast), event="glass-broken")
    assert {"dora", "rita"} <= set(told("glass-broken"))


def test_a_grant_is_told_of_when_it_is_first_used_and_not_again(cast: Cast, park: Park):
    request = park()
    services.review(request.pk, cast.principal(cast.rita), "approve", "")
    grant = make_grant(cast, "statement", request=request)
    for _ in range(3):
        grant_moved.send(Grant, grant=grant, event="used")
    assert told("grant-used") == ["alice", "rita"]


def test_each_cut_is_told(cast: Cast):
    grant = make_grant(cast, "statement", max_uses=9)
    for uses in (9, 5, 5):
        grant.max_uses = uses
        grant_moved.send(Grant, grant=grant, event="narrowed")
    assert told("grant-narrowed") == ["alice", "alice"]


def test_a_message_about_a_grant_says_what_of_whom_and_until_when(cast: Cast):
    grant = make_grant(cast, "elevation", group="dba", reason="a reason that quotes data")
    message = message_of(Notification(id=uuid.uuid4(), event="grant-given", grant=grant))
    said = f"{message.subject} {message.rows}"
    for part in ("analyst-bot, owned by alice", "shop (prod)", "dba", "Elevation"):
        assert part in said
    assert "quotes data" not in said


# --- Choices -------------------------------------------------------------------------------------------------------


def test_loud_events_do_not_wait_for_a_digest(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    root = make_user("root", is_administrator=True)
    give_addresses(root)
    preferences.save(root, email="digest", muted=[], digest_hour=8, time_zone="UTC")
    grant_moved.send(Grant, grant=make_grant(reached), event="glass-broken")
    deliver()
    assert "root@example.com" in mail.to
    assert all(one.startswith("[Countersign] GLASS BROKEN: agent:analyst-bot on shop (prod)") for one in mail.subjects)


def test_what_is_muted_or_turned_off_is_listed_and_not_sent(mail: MailServer, reached: Cast, park: Park):
    preferences.save(reached.rita, email="each", muted=["asked"], digest_hour=8, time_zone="UTC")
    preferences.save(reached.dora, email="off", muted=[], digest_hour=8, time_zone="UTC")
    park()
    said = dict(Notification.objects.values_list("user__username", "error"))
    assert said == {"rita": "You have muted this.", "dora": "You have turned e-mail off."}
