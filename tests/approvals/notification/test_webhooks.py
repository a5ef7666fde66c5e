"""Webhooks against a real receiver: what is posted, how it is signed, and what happens while it fails."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from approvals import services
from approvals.models import Notification, Webhook
from approvals.notification import slack, webhooks
from approvals.notification.outbox import tell
from approvals.notification.phrases import harmless
from approvals.notification.webhooks import WebhookRefused
from audit.models import Entry
from tests.approvals.notification.conftest import Deliver, Park
from tests.audit.forwarding.receivers import Webhook as Hook
from tests.factories import Cast

DAY = timedelta(days=1)
ROOT = "user:root"


@pytest.fixture
def oncall(cast: Cast, hook: Hook) -> str:
    """Its secret."""
    return webhooks.add("oncall", hook.address, actor=ROOT).secret


def contents(hook: Hook) -> list[dict[str, Any]]:
    return [one.content for one in hook.taken]


def fields_of(kind: str) -> list[dict[str, Any]]:
    return [orjson.loads(bytes(one.header)) for one in Entry.objects.filter(kind=kind).order_by("index")]


# --- What is posted ------------------------------------------------------------------------------------------------


def test_one_message_says_what_waits_for_whom(oncall: str, hook: Hook, park: Park, deliver: Deliver):
    request = park(on_behalf_of="Customer care")
    deliver()
    (told,) = contents(hook)
    assert (told["event"], told["url"]) == ("asked", f"http://127.0.0.1:8000/requests/{request.pk}/")
    about = told["request"]
    assert (about["what"], about["requester"], about["owner"]) == (
        "Delete on public.orders",
        "agent:analyst-bot",
        "alice",
    )
    assert (about["datasource"], about["environment"], about["on_behalf_of"]) == ("shop", "prod", "Customer care")
    assert about["required"] == [{"group": "dba", "quorum": 1}]


def test_it_holds_no_statement_no_value_and_nothing_that_people_wrote(
    oncall: str, hook: Hook, cast: Cast, park: Park, deliver: Deliver
):
    webhooks.add("chat", hook.address, format="slack", actor=ROOT)
    request = park("DELETE FROM orders WHERE status <> 'secretvalue'", purpose="purposetext")
    services.review(request.pk, cast.principal(cast.rita), "reject", "commenttext")
    deliver()
    everything = b"".join(one.body for one in hook.taken)
    assert len(hook.taken) == 4
    for hidden in (b"secretvalue", b"DELETE FROM", b"status <", b"purposetext", b"commenttext"):
        assert hidden not in everything


def test_only_chosen_events_and_groups_are_told(cast: Cast, hook: Hook, park: Park, deliver: Deliver):
    webhooks.add("ends", hook.address, events=["rejected"], actor=ROOT)
    webhooks.add("others", hook.address, groups=["auditors"], actor=ROOT)
    webhooks.add("dba", hook.address, groups=["dba"], events=["asked"], actor=ROOT)
    request = park()
    services.review(request.pk, cast.principal(cast.rita), "reject", "no")
    deliver()
    assert sorted(one["event"] for one in contents(hook)) == ["asked", "rejected"]


def test_what_only_concerns_one_person_is_told_to_no_webhook(oncall: str, cast: Cast, hook: Hook, deliver: Deliver):
    tell("absence-set", people=[cast.rita], about="x", context={"person": "dora"})
    deliver()
    assert hook.asked == []


# --- Signing -------------------------------------------------------------------------------------------------------


def verifier() -> Any:
    """The example of the documentation."""
    text = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  our own page
    return names["is_genuine"]


def test_the_documented_verification_takes_it_and_nothing_else(
    oncall: str, hook: Hook, park: Park, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
):
    park()
    deliver()
    (told,) = hook.taken
    genuine = verifier()
    assert genuine(oncall, told.headers, told.body)
    assert not genuine("another secret", told.headers, told.body)
    assert not genuine(oncall, told.headers, told.body + b" ")
    late = {**told.headers, "Countersign-Signature": re.sub(r"t=\d+", "t=1", told.headers["Countersign-Signature"])}
    assert not genuine(oncall, late, told.body)


def test_two_secrets_sign_while_a_receiver_changes_over(oncall: str, hook: Hook, park: Park, deliver: Deliver):
    new = webhooks.change_secret("oncall", actor=ROOT).secret
    park()
    deliver()
    webhooks.drop_previous_secret("oncall", actor=ROOT)
    park()
    deliver()
    genuine = verifier()
    taken = [[genuine(secret, one.headers, one.body) for secret in (oncall, new)] for one in hook.taken]
    assert taken == [[True, True], [False, True]]


# --- Failing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "says"), [(500, "HTTP 500: as told"), (302, "redirects are not followed")])
def test_what_was_not_taken_comes_again_under_the_same_id(
    oncall: str, hook: Hook, park: Park, deliver: Deliver, answer: int, says: str
):
    hook.answers = [answer]
    park()
    deliver()
    failing = Webhook.objects.get()
    assert failing.failures == 1
    assert says in failing.error
    assert hook.taken == []
    deliver(timezone.now() + timedelta(minutes=1))
    assert [one.id for one in hook.asked] == [hook.taken[0].id] * 2
    well = Webhook.objects.get()
    assert (well.failures, well.error, well.failing_since) == (0, "", None)


def test_while_it_fails_the_others_wait_and_keep_their_order(
    oncall: str, hook: Hook, cast: Cast, park: Park, deliver: Deliver
):
    hook.answers = [500]
    for _ in range(3):
        park()
    deliver()
    assert len(hook.asked) == 1
    deliver(timezone.now() + timedelta(minutes=1))
    wanted = Notification.objects.filter(webhook__isnull=False).order_by("created_at").values_list("pk", flat=True)
    assert [one.id for one in hook.taken] == [str(key) for key in wanted]


def test_after_a_day_of_failures_it_is_paused_and_recorded(oncall: str, hook: Hook, park: Park, deliver: Deliver):
    hook.answers = [500] * 9
    park()
    deliver()
    park()
    deliver(timezone.now() + DAY + timedelta(minutes=1))
    paused = Webhook.objects.get()
    assert (paused.is_active, paused.failures) == (False, 2)
    assert fields_of("webhook.changed")[-1]["is_active"] is False
    assert set(Notification.objects.filter(webhook=paused).values_list("state", flat=True)) == {"failed"}
    park()
    deliver()
    assert len(hook.asked) == 2


def test_a_receiver_that_is_gone_is_paused_at_once(oncall: str, hook: Hook, park: Park, deliver: Deliver):
    hook.answers = [410]
    park()
    deliver()
    assert Webhook.objects.get().is_active is False


def test_one_that_does_not_open_holds_up_no_other(oncall: str, hook: Hook, park: Park, deliver: Deliver):
    webhooks.add("chat", hook.address, actor=ROOT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_webhook SET address = 'x' WHERE name = 'chat'")
    park()
    deliver()
    assert len(hook.taken) == 1
    assert Webhook.objects.defer("address").get(name="chat").error.startswith("the webhook cannot be opened")


# --- Administration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/x",
        "ftp://hooks.example.com",
        "https://user:password@hooks.example.com/",
        "https://",
        "x",
    ],
)
def test_addresses_follow_the_rules_of_forwarders(control_db: str, address: str):
    with pytest.raises(WebhookRefused) as refused:
        webhooks.add("oncall", address, actor=ROOT)
    assert refused.value.field == "address"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "On call"}, "name"),
        ({"name": "add"}, "name"),
        ({"events": ["nothing"]}, "events"),
        ({"groups": ["nobody"]}, "groups"),
        ({"format": "xml"}, "format"),
    ],
)
def test_what_is_not_known_is_told(control_db: str, given: dict[str, Any], field: str):
    with pytest.raises(WebhookRefused) as refused:
        webhooks.add(**{"name": "oncall", "address": "https://hooks.example.com/x", "actor": ROOT, **given})
    assert refused.value.field == field


def test_each_change_is_recorded_without_the_address_path_and_the_secret(control_db: str):
    place = "https://hooks.slack.com/services/T000/B000/tokentoken"
    secret = webhooks.add("chat", place, actor=ROOT).secret
    webhooks.change("chat", address=place + "2", format="slack", events=["asked"], groups=[], actor=ROOT)
    webhooks.switch("chat", active=False, actor=ROOT)
    webhooks.change_secret("chat", actor=ROOT)
    webhooks.drop_previous_secret("chat", actor=ROOT)
    webhooks.remove("chat", actor=ROOT)
    kinds = list(Entry.objects.filter(kind__startswith="webhook.").order_by("index").values_list("kind", flat=True))
    assert kinds == ["webhook.added", *["webhook.changed"] * 4, "webhook.removed"]
    headers = b"".join(bytes(one.header) for one in Entry.objects.all())
    assert b"tokentoken" not in headers
    assert secret.encode() not in headers
    assert b"https://hooks.slack.com/" in headers


def test_a_test_is_delivered_and_shown(oncall: str, hook: Hook, deliver: Deliver):
    webhooks.test("oncall")
    deliver()
    assert [one["event"] for one in contents(hook)] == ["test"]


# --- Slack ---------------------------------------------------------------------------------------------------------

HOSTILE = st.text(
    alphabet=st.sampled_from("<>&!@#|*_~`:/ \n") | st.sampled_from("abchtpwevil."), min_size=1, max_size=400
) | st.sampled_from(["<!channel>", "<@U123>", "<https://evil.example|Approve>", "&lt;!here&gt;", "a*b_c~d`e"])


@given(HOSTILE, HOSTILE)
def test_nothing_that_somebody_calls_a_table_means_anything_to_slack(name: str, who: str):
    subject, value = harmless(f"Review wanted: Delete on {name}"), harmless(who)
    made = slack.payload(subject, "A sentence.", (("Asked by", value),), "https://c.example/requests/1/", "Open it")
    texts = [block["text"] for block in made["blocks"] if "text" in block]
    texts += [field for block in made["blocks"] for field in block.get("fields", ())]
    for one in texts:
        if one["type"] == "mrkdwn":
            assert one["text"] == "<https://c.example/requests/1/|Open it>"
        else:
            assert not set(one["text"]) & set("<>")
            assert len(one["text"]) <= slack.LONGEST_FIELD
            assert re.fullmatch(r"(?:[^&]|&(?:amp|lt|gt);)*…?", one["text"], re.DOTALL)
    assert len(made["blocks"][0]["text"]["text"]) <= slack.LONGEST_HEADER
    fallback = made["text"].removesuffix(" <https://c.example/requests/1/|Open it>")
    assert not set(fallback) & set("<>*_~`")
    assert "://" not in fallback
    assert made["link_names"] is False


def test_slack_gets_blocks_and_text_for_where_there_are_none(cast: Cast, hook: Hook, park: Park, deliver: Deliver):
    webhooks.add("chat", hook.address, format="slack", actor=ROOT)
    park()
    deliver()
    (told,) = contents(hook)
    assert [block["type"] for block in told["blocks"]] == ["header", "section", "section", "section"]
    assert told["text"].startswith("Review wanted: Delete on public.orders on shop (prod), risk ")
