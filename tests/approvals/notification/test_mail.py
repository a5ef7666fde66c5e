"""E-mail against a real server: what arrives, what is refused, what is tried again, and what is never sent twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from approvals import services
from approvals.models import Notification, Request
from approvals.notification import delivery
from approvals.notification import mail as mailing
from audit.ledger import LedgerUnavailable
from audit.models import Entry
from config.settings import smtp_server
from tests.approvals.notification.conftest import Deliver, Park, UseMail, give_addresses
from tests.approvals.notification.sinks import MailServer, mail_server, text_of
from tests.audit.forwarding.receivers import Authority
from tests.factories import Cast, make_user

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told(**narrowed: object) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(**narrowed).select_related("user").order_by("user__username")
    return [(row.user.username if row.user else "", row.state) for row in rows]


def only(**narrowed: object) -> Notification:
    return Notification.objects.get(**narrowed)


# --- What arrives --------------------------------------------------------------------------------------------------


def test_a_parked_statement_reaches_everybody_who_may_review_it(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    park()
    deliver()
    assert sorted(mail.to) == ["dora@example.com", "rita@example.com"]
    beginning = "[Countersign] Review wanted: Delete on public.orders on shop (prod), risk "
    assert all(one.startswith(beginning) for one in mail.subjects)


def test_a_message_says_who_what_where_how_risky_until_when_and_leads_to_the_page(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    request = park(on_behalf_of="Customer care")
    deliver()
    for kind in ("plain", "html"):
        text = text_of(mail.letters[0], kind)
        for part in (
            "Delete on public.orders",
            "analyst-bot",
            "alice",
            "Customer care",
            "shop (prod)",
            "of 100",
            "1 of dba",
        ):
            assert part in text
        assert f"http://127.0.0.1:8000/requests/{request.pk}/" in text
        assert "3 h 59 min from now" in text


def test_a_message_holds_no_statement_no_value_and_nothing_that_people_wrote(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    request = park("DELETE FROM orders WHERE status <> 'secretvalue'", purpose="purposetext")
    services.review(request.pk, reached.principal(reached.rita), "reject", "commenttext")
    deliver()
    everything = "".join(bytes(letter).decode() + text_of(letter) + text_of(letter, "html") for letter in mail.letters)
    assert mail.letters
    for hidden in ("secretvalue", "DELETE FROM", "status", "purposetext", "commenttext"):
        assert hidden not in everything


def test_details_add_the_statement_without_its_values(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver, settings
):
    settings.MAIL_DETAILS = True
    park("DELETE FROM orders WHERE status <> 'secretvalue'")
    deliver()
    text = text_of(mail.letters[0])
    assert "Statement, without values: DELETE FROM orders WHERE status <>" in text
    assert "secretvalue" not in text


def test_what_people_call_their_tables_breaks_no_line_and_makes_no_link(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    request = park()
    facts = request.facts | {
        "relations": [{"schema": "public", "name": "a\r\nBcc: eve@example.com http://evil.example", "use": "delete"}]
    }
    Request.objects.filter(pk=request.pk).update(facts=facts)
    deliver()
    letter = mail.letters[0]
    assert letter["Bcc"] is None
    assert "http://evil" not in text_of(letter) + str(letter["Subject"])


def test_for_whom_it_runs_makes_no_link(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    park(on_behalf_of="rita: sign in at evil.example/login or ask it@evil.example")
    deliver()
    for part in ("plain", "html"):
        body = mail.letters[0].get_body((part,))
        assert body is not None
        told = body.get_content()
        assert "evil.example" not in told
        assert "sign in at evil.\u2060example/login" in told


def test_no_end_is_told_of_what_waits_until_somebody_has_looked(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    request = park()
    Request.objects.filter(pk=request.pk).update(kind=Request.Kind.AFTERWARDS)
    deliver()
    text = text_of(mail.letters[0])
    assert "Needs: 1 of dba" in text
    assert "Decide by" not in text


def test_letters_about_one_request_stand_together(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    request = park()
    services.review(request.pk, reached.principal(reached.rita), "reject", "no")
    deliver()
    assert {one["References"] for one in mail.letters} == {f"<about-{request.pk}@127.0.0.1>"}


def test_whoever_asked_is_told_how_it_ended(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    request = park()
    deliver()
    services.review(request.pk, reached.principal(reached.rita), "reject", "no")
    deliver()
    assert mail.to[2:] == ["alice@example.com"]
    assert mail.subjects[2].startswith("[Countersign] Rejected: ")


def test_everything_goes_over_one_connection(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    park()
    park()
    deliver()
    assert (len(mail.letters), len(mail.sessions)) == (4, 1)


# --- What does not --------------------------------------------------------------------------------------------------


def test_nothing_is_told_of_what_was_rolled_back(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    with transaction.atomic():
        park()
        transaction.set_rollback(True)
    deliver()
    assert (mail.letters, Notification.objects.count()) == ([], 0)


def test_without_a_mail_server_nothing_waits_and_the_list_says_why(cast: Cast, park: Park, settings):
    give_addresses(cast.rita)
    settings.SMTP = None
    park()
    row = only(user=cast.rita)
    assert (row.state, row.next_at) == ("dropped", None)
    assert "COUNTERSIGN_SMTP_URL" in row.error


def test_without_an_address_the_list_says_so(mail: MailServer, cast: Cast, park: Park):
    park()
    assert only(user=cast.rita).error == "You have given no e-mail address."


def test_nobody_is_asked_for_what_was_decided_before_the_message_left(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    request = park()
    services.review(request.pk, reached.principal(reached.rita), "approve", "")
    deliver()
    assert mail.to == ["alice@example.com"]
    assert told(event="asked") == [("dora", "dropped"), ("rita", "dropped")]


def test_whoever_left_the_group_before_the_message_left_gets_none(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    park()
    reached.dora.groups.clear()
    deliver()
    assert mail.to == ["rita@example.com"]
    assert only(user=reached.dora).error == "You may no longer see it."


def test_an_address_that_is_refused_for_good_is_given_up_at_once_and_recorded_without_it(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    mail.refused["dora@example.com"] = "550 5.1.1 no such user <dora@example.com>"
    park()
    deliver()
    row = only(user=reached.dora)
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.error == "the mail server refused the address: 550 5.1.1 no such user <the address>"
    entry = Entry.objects.get(kind="notification.failed")
    assert b"dora@example.com" not in bytes(entry.header)
    assert b'"recipient":"user:dora"' in bytes(entry.header)
    assert mail.to == ["rita@example.com"]


def test_what_is_refused_for_now_is_tried_again_and_the_others_go_on(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    mail.answers = ["451 try later"]
    park()
    deliver()
    assert len(mail.letters) == 1
    deliver(timezone.now() + timedelta(minutes=1))
    assert sorted(mail.to) == ["dora@example.com", "rita@example.com"]
    assert {row.attempts for row in Notification.objects.filter(event="asked")} == {1, 2}


def test_a_server_that_is_away_is_tried_once_and_the_others_wait_with_it(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver, settings
):
    park()
    settings.SMTP = settings.SMTP | {"port": 1}
    deliver()
    assert sorted(Notification.objects.values_list("attempts", flat=True)) == [0, 1]
    assert delivery.due_channels() == []
    assert len({row.next_at for row in Notification.objects.all()}) == 1


def test_a_server_that_hangs_is_cut_off(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mailing, "MESSAGE_SECONDS", 0.2)
    mail.hangs = True
    park()
    deliver()
    assert mail.tried == 1
    assert {row.error for row in Notification.objects.filter(attempts=1)} == {"the mail server ended the connection"}


def test_pauses_grow_to_an_hour() -> None:
    assert [delivery.pause_after(n, lambda: 0) for n in (1, 2, 3, 8, 9, 100)] == [15, 30, 60, 1920, 3600, 3600]
    assert delivery.pause_after(1, lambda: 1) == 11.25


def test_after_a_day_it_is_given_up_recorded_and_shown(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    mail.refused = {f"{name}@example.com": "450 later" for name in ("rita", "dora")}
    request = park()
    Request.objects.filter(pk=request.pk).update(expires_at=timezone.now() + 3 * DAY)
    deliver()
    deliver(timezone.now() + DAY + HOUR)
    assert told(event="asked") == [("dora", "failed"), ("rita", "failed")]
    assert Entry.objects.filter(kind="notification.failed").count() == 2


# --- Never twice ----------------------------------------------------------------------------------------------------


def test_what_arrived_is_never_sent_again(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    park()
    deliver()
    deliver(timezone.now() + DAY)
    assert len(mail.letters) == 2
    assert told() == [("dora", "sent"), ("rita", "sent")]
    entries = Entry.objects.filter(kind="notification.sent")
    assert sorted(b'"recipient":"user:rita"' in bytes(one.header) for one in entries) == [False, True]


def test_what_a_worker_died_with_comes_again_under_the_same_message_id(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
):
    reached.dora.groups.clear()
    park()

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "mark_sent", die)
        with pytest.raises(SystemExit):
            deliver()
    deliver()
    assert len(mail.letters) == 1
    deliver(timezone.now() + delivery.LEASE)
    assert len(mail.letters) == 2
    assert len({one["Message-ID"] for one in mail.letters}) == 1


def test_one_row_is_claimed_once(mail: MailServer, reached: Cast, park: Park):
    reached.dora.groups.clear()
    park()
    now = timezone.now()
    first = delivery.claim(delivery.MAIL, now)
    assert first is not None
    assert first.attempts == 1
    assert delivery.claim(delivery.MAIL, now) is None


def test_a_ledger_that_is_away_does_not_make_it_come_twice(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
):
    park()

    def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr("audit.ledger.append_within", away)
    deliver()
    deliver(timezone.now() + DAY)
    assert len(mail.letters) == 2


# --- How it is reached ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtps"])
def test_mail_goes_through_tls_and_signs_in(
    scheme: str, control_db: str, use_mail: UseMail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.certificate)
    letter = mailing.Letter("id", "rita@example.com", "Subject", "text", "<p>html</p>")
    with mail_server(authority.issue("127.0.0.1"), folder=tmp_path, scheme=scheme, auth=True) as server:
        use_mail(server)
        with mailing.mailer() as post, pytest.raises(mailing.NotDelivered, match="certificate is not to be trusted"):
            post.send(letter)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with mailing.mailer() as post:
            post.send(letter)
        assert server.to == ["rita@example.com"]


def test_a_wrong_password_is_told_without_it_and_tried_again(control_db: str, settings, use_mail: UseMail):
    with mail_server(auth=True) as server:
        use_mail(server)
        settings.SMTP = settings.SMTP | {"password": "wrongpassword"}
        with mailing.mailer() as post, pytest.raises(mailing.NotDelivered) as refused:
            post.send(mailing.Letter("id", "rita@example.com", "Subject", "text", "<p>html</p>"))
    assert (refused.value.message, refused.value.for_good) == (
        "the mail server refused our name or password: 535",
        False,
    )


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("mail.example.com", "must look like"),
        ("http://mail.example.com", "must look like"),
        ("smtp://mail.example.com:99999", "must look like"),
        ("smtp://u:p@mail.example.com", "unencrypted"),
    ],
)
def test_an_address_that_cannot_be_right_stops_the_start(address: str, says: str):
    with pytest.raises(ImproperlyConfigured, match=says):
        smtp_server(address)


def test_addresses_of_mail_servers() -> None:
    assert smtp_server("") is None
    starttls = smtp_server("smtp+tls://u:p%40ss@mail.example.com")
    assert starttls == {
        "host": "mail.example.com", "port": 587, "username": "u", "password": "p@ss", "timeout": 10, "use_tls": True,
    }  # fmt: skip


def test_old_messages_are_forgotten_and_waiting_ones_are_not(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    park()
    Notification.objects.filter(user=reached.rita).update(state="sent")
    assert delivery.forget_old(timezone.now() + 91 * DAY) == 1
    assert told() == [("dora", "waiting")]


def test_an_account_that_was_closed_gets_nothing(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    make_user("vera", "dba")
    park()
    reached.rita.is_active = False
    reached.rita.save()
    deliver()
    assert mail.to == ["dora@example.com"]
