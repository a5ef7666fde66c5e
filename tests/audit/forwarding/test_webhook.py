"""The webhook door, against a server that fails, hangs, redirects and goes away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.forwarding import administration, posting, running, webhook
from audit.models import Entry, Forwarder
from tests.audit.forwarding.conftest import Grow
from tests.audit.forwarding.receivers import Webhook

SECRET = "a secret of more than enough letters"


@pytest.fixture
def forwarder(hook: Webhook, grow: Grow) -> Forwarder:
    return administration.add("hook", "webhook", hook.address, actor="test", secret=SECRET).forwarder


def test_entries_come_in_order_byte_for_byte_and_signed(forwarder: Forwarder, hook: Webhook, grow: Grow):
    size = grow(3)
    assert not running.work("hook")
    assert hook.indexes == list(range(size))
    got = hook.taken[0]
    assert got.is_signed_with(SECRET)
    assert not got.is_signed_with(SECRET + "x")
    assert (got.headers["Countersign-Range"], got.content["first"], got.content["end"]) == (f"0-{size - 1}", 0, size)
    assert all(bytes(one.header) in got.body for one in Entry.objects.all())


def test_a_batch_is_bounded_and_the_next_follows_on_it(
    forwarder: Forwarder, hook: Webhook, grow: Grow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(webhook.WebhookDoor, "most_lines", 2)
    size = grow(5)
    running.work("hook")
    assert hook.indexes == list(range(size))
    assert {len(one.indexes) for one in hook.taken} <= {1, 2}


def test_a_failure_is_told_and_the_same_batch_is_sent_again(forwarder: Forwarder, hook: Webhook, grow: Grow):
    hook.answers = [500]
    size = grow(2)
    running.work("hook")
    failed = Forwarder.objects.get()
    assert (failed.next, failed.failures, failed.problem) == (0, 1, "the receiver answered HTTP 500: as told")
    assert failed.retry_at is not None
    assert timedelta() < failed.retry_at - timezone.now() <= timedelta(seconds=1)
    grow(1)
    running.work("hook")
    assert [one.id for one in hook.asked[:2]] == [hook.asked[0].id] * 2
    assert hook.asked[0].body == hook.asked[1].body
    assert hook.indexes == list(range(size + 1))
    assert (Forwarder.objects.get().problem, Forwarder.objects.get().failures) == ("", 0)


def test_a_receiver_that_hangs_is_given_up(
    forwarder: Forwarder, hook: Webhook, grow: Grow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.3)
    hook.answers = [0]
    grow(1)
    running.work("hook")
    assert Forwarder.objects.get().problem == "the receiver did not answer in time"


def test_a_redirect_is_not_followed(forwarder: Forwarder, hook: Webhook, grow: Grow):
    hook.answers = [307]
    grow(1)
    running.work("hook")
    assert len(hook.asked) == 1
    assert "redirects are not followed" in Forwarder.objects.get().problem


def test_a_receiver_that_is_gone_pauses_the_forwarder_and_the_ledger_says_so(
    forwarder: Forwarder, hook: Webhook, grow: Grow
):
    hook.answers = [410]
    grow(1)
    running.work("hook")
    assert not Forwarder.objects.get().is_active
    said = Entry.objects.get(kind="forwarder.changed").fields
    assert (said["actor"], said["changes"]) == ("forwarding", {"is_active": False})
    running.work("hook")
    assert len(hook.asked) == 1
    administration.switch("hook", active=True, actor="test")
    running.work("hook")
    assert hook.taken[0].id == hook.asked[0].id


def test_both_secrets_sign_while_the_receiver_changes_over(forwarder: Forwarder, hook: Webhook, grow: Grow):
    new = administration.change_secret("hook", actor="test").secret
    running.work("hook")
    administration.drop_previous_secret("hook", actor="test")
    running.work("hook")
    both, newest = hook.taken
    assert (both.is_signed_with(new), both.is_signed_with(SECRET)) == (True, True)
    assert (newest.is_signed_with(new), newest.is_signed_with(SECRET)) == (True, False)


def test_only_entries_of_the_kinds_that_were_chosen_are_sent(hook: Webhook, grow: Grow):
    administration.add("some", "webhook", hook.address, actor="test", kinds=["forwarder.added"])
    size = grow(4)
    running.work("some")
    assert hook.indexes == [0]
    assert hook.taken[0].content["end"] == size
    grow(1)
    running.work("some")
    assert len(hook.asked) == 1
    assert Forwarder.objects.get().next == size + 1


def test_a_payload_never_leaves(forwarder: Forwarder, hook: Webhook, grow: Grow):
    from audit import ledger

    ledger.append("statement.denied", principal="agent:bot", payload={"sql": "SELECT 'so secret'"})
    running.work("hook")
    assert b"so secret" not in b"".join(one.body for one in hook.asked)


@pytest.mark.parametrize(("failures", "longest"), [(1, 1), (2, 2), (5, 16), (30, 300)])
def test_pauses_grow_up_to_five_minutes(failures: int, longest: float):
    assert running.pause_after(failures, lambda: 0.0) == longest
    assert running.pause_after(failures, lambda: 1.0) == longest * 0.75
