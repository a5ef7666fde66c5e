"""Pages and REST calls of notification: what they show to whom, and what they change."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import Notification, NotificationPreference, Request, Review, Webhook
from approvals.notification import webhooks
from audit.models import Entry
from identity.models import User
from tests.approvals.notification.conftest import Deliver, Park, give_addresses
from tests.approvals.notification.sinks import MailServer, text_of
from tests.factories import Cast, make_user

PLACE, HOOKS = "/notifications/", "/notifications/webhooks/"
REST = "/api/v1/notifications"
ADDRESS = "https://hooks.example.com/secret-path"
FORM = {
    "address": "rita@home.example",
    "email": "digest",
    "digest_hour": "7",
    "time_zone": "Europe/Stockholm",
    "told": ["asked"],
}
POSTS = [reverse(f"webhook-{name}", args=["oncall"]) for name in ("change", "switch", "secret", "test", "remove")]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(control_db: str) -> Client:
    return client_of(make_user("root", is_administrator=True))


@pytest.fixture
def oncall(control_db: str) -> Webhook:
    return webhooks.add("oncall", ADDRESS, actor="user:root").webhook


# --- A link never decides ------------------------------------------------------------------------------------------


def test_opening_every_link_of_every_message_changes_nothing(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    park()
    deliver()
    rita = client_of(reached.rita)
    before = (Request.objects.values_list("state", "revision").get(), Review.objects.count(), Entry.objects.count())
    links = {link for letter in mail.letters for kind in ("plain", "html") for link in links_in(text_of(letter, kind))}
    assert len(links) == 2
    for link in links:
        for client in (Client(), rita):
            assert client.get(link, follow=True).status_code == 200
            client.head(link)
    after = (Request.objects.values_list("state", "revision").get(), Review.objects.count(), Entry.objects.count())
    assert after == before


def links_in(text: str) -> list[str]:
    return [
        link.removeprefix("http://127.0.0.1:8000") for link in re.findall(r"http://127\.0\.0\.1:8000[^\s\"<]*", text)
    ]


@pytest.mark.parametrize("place", [reverse("notification-preferences"), reverse("notification-test"), *POSTS])
def test_nothing_here_is_changed_by_a_link(root: Client, oncall: Webhook, place: str):
    assert root.get(place).status_code == 405


# --- One's own -----------------------------------------------------------------------------------------------------


def test_people_see_what_they_were_told_and_whether_it_arrived(
    mail: MailServer, reached: Cast, park: Park, deliver: Deliver
):
    mail.refused["dora@example.com"] = "550 no such user"
    park()
    deliver()
    rita, dora = (client_of(one).get(PLACE).text for one in (reached.rita, reached.dora))
    assert "Delete on public.orders" in rita
    assert "Sent" in rita
    assert "Given up" in dora
    assert "the mail server refused the address: 550 no such user" in dora
    assert "Delete on public.orders" not in client_of(reached.mallory).get(PLACE).text


def test_choices_are_saved_and_shown(mail: MailServer, cast: Cast):
    client = client_of(cast.rita)
    assert client.post(reverse("notification-preferences"), FORM).status_code == 302
    saved = NotificationPreference.objects.get()
    assert (saved.email, saved.digest_hour, saved.time_zone) == ("digest", 7, "Europe/Stockholm")
    assert "asked" not in saved.muted
    assert "glass-broken" in saved.muted
    page = client.get(PLACE).text
    assert 'value="rita@home.example"' in page
    assert "You are not told when somebody breaks the glass" in page


def test_what_is_wrong_is_said_beside_the_field(control_db: str):
    answer = client_of(make_user("rita")).post(reverse("notification-preferences"), {**FORM, "address": "rita"})
    assert answer.status_code == 422
    assert "That is not an e-mail address." in answer.text


def test_the_page_says_when_no_mail_server_is_set_up(control_db: str):
    page = client_of(make_user("rita")).get(PLACE).text
    assert "No mail server is set up" in page
    assert "Send me a test" not in page


def test_a_test_is_sent_by_its_button(mail: MailServer, cast: Cast, deliver: Deliver):
    give_addresses(cast.rita)
    client = client_of(cast.rita)
    assert "Send me a test" in client.get(PLACE).text
    client.post(reverse("notification-test"))
    deliver()
    assert mail.to == ["rita@example.com"]
    assert "A test" in client.get(PLACE).text


# --- Webhooks ------------------------------------------------------------------------------------------------------


def test_webhooks_are_for_administrators(cast: Cast, oncall: Webhook):
    for person in (cast.rita, cast.olaf):
        client = client_of(person)
        assert {client.get(place).status_code for place in (HOOKS, HOOKS + "oncall/")} == {403}
        assert {client.post(place).status_code for place in POSTS} == {403}
        assert client.get("/api/v1/webhooks").status_code == 403
        assert client.delete("/api/v1/webhooks/oncall").status_code == 403
        assert HOOKS not in client.get(PLACE).text


def test_a_webhook_is_added_and_its_secret_shown_once_and_its_address_never_whole(root: Client):
    answer = root.post(
        reverse("webhook-add"), {"name": "oncall", "address": ADDRESS, "format": "slack", "events": ["asked"]}
    )
    assert answer.status_code == 200
    hook = Webhook.objects.get()
    assert (hook.format, hook.events) == ("slack", ["asked"])
    assert str(hook.secret) in answer.text
    assert answer["Cache-Control"].count("no-store")
    for page in (root.get(HOOKS).text, root.get(HOOKS + "oncall/").text):
        assert "https://hooks.example.com/…" in page
        assert str(hook.secret) not in page
        assert "secret-path" not in page


def test_what_is_wrong_with_a_webhook_is_said(root: Client):
    answer = root.post(
        reverse("webhook-add"), {"name": "oncall", "address": "http://hooks.example.com", "format": "json"}
    )
    assert answer.status_code == 422
    assert "http:// only for this machine" in answer.text


def test_a_webhook_is_changed_paused_resumed_and_removed(root: Client, oncall: Webhook):
    root.post(reverse("webhook-change", args=["oncall"]), {"format": "slack", "address": ""})
    root.post(reverse("webhook-switch", args=["oncall"]), {"active": "no"})
    hook = Webhook.objects.get()
    assert (hook.format, hook.is_active, hook.address) == ("slack", False, ADDRESS)
    root.post(reverse("webhook-switch", args=["oncall"]), {"active": "yes"})
    assert Webhook.objects.get().is_active
    root.post(reverse("webhook-remove", args=["oncall"]))
    assert Webhook.objects.count() == 0


def test_a_new_secret_is_shown_once_and_the_old_one_can_be_dropped(root: Client, oncall: Webhook):
    answer = root.post(reverse("webhook-secret", args=["oncall"]))
    new, old = str(Webhook.objects.get().secret).split("\n")
    assert new in answer.text
    assert old not in answer.text
    root.post(reverse("webhook-secret", args=["oncall"]), {"drop": "yes"})
    assert str(Webhook.objects.get().secret) == new


def test_a_webhook_that_is_not_there_is_not_there(root: Client):
    assert root.get(HOOKS + "nothing/").status_code == 404
    assert {root.post(place).status_code for place in POSTS} == {404}


# --- REST ----------------------------------------------------------------------------------------------------------


def test_rest_shows_and_changes_what_one_is_told(mail: MailServer, reached: Cast, park: Park, deliver: Deliver):
    park()
    deliver()
    client = client_of(reached.rita)
    (told,) = client.get(REST).json()["results"]
    assert (told["event"], told["state"], told["title"]) == ("asked", "sent", "Review wanted")
    changed = client.patch(f"{REST}/preferences", {"email": "off"}, "application/json")
    assert (changed.status_code, changed.json()["email"], changed.json()["digest_hour"]) == (200, "off", 8)
    assert len(changed.json()["warnings"]) == 2
    assert client.get(f"{REST}/preferences").json() == changed.json()


@pytest.mark.parametrize(
    "body", [{"email": "pigeon"}, {"muted": ["x"]}, {"digest_hour": 24}, {"time_zone": "X"}, {"address": "x"}, {"x": 1}]
)
def test_rest_says_what_is_wrong(control_db: str, body: dict[str, Any]):
    answer = client_of(make_user("rita")).patch(f"{REST}/preferences", body, "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert next(iter(body)) in answer.json()["detail"]


def test_rest_says_why_no_test_is_sent(control_db: str):
    answer = client_of(make_user("rita")).post(f"{REST}/test")
    assert (answer.status_code, answer.json()["code"]) == (400, "cannot-be-sent")


def test_agents_are_not_sent_messages(cast: Cast):
    headers = {"Authorization": f"Bearer {cast.token(cast.bot)}"}
    assert {Client().get(place, headers=headers).status_code for place in (REST, f"{REST}/preferences")} == {403}


def test_rest_keeps_webhooks(root: Client, control_db: str):
    added = root.post("/api/v1/webhooks", {"name": "oncall", "address": ADDRESS}, "application/json")
    assert (added.status_code, added.json()["address"]) == (201, "https://hooks.example.com/…")
    assert added.json()["secret"] == str(Webhook.objects.get().secret)
    paused = root.patch("/api/v1/webhooks/oncall", {"is_active": False, "events": ["asked"]}, "application/json")
    assert (paused.json()["is_active"], paused.json()["events"]) == (False, ["asked"])
    assert root.post("/api/v1/webhooks/oncall/test").status_code == 400
    assert root.post("/api/v1/webhooks/oncall/secret").json()["secrets"] == 2
    assert root.delete("/api/v1/webhooks/oncall/secret/previous").json()["secrets"] == 1
    assert "secret" not in root.get("/api/v1/webhooks/oncall").json()
    assert root.delete("/api/v1/webhooks/oncall").status_code == 204
    missing = root.get("/api/v1/webhooks/oncall")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown-webhook")
    assert Notification.objects.count() == 0


def test_rest_refuses_a_webhook_with_the_field_that_is_wrong(root: Client):
    answer = root.post("/api/v1/webhooks", {"name": "oncall", "address": "http://x.example"}, "application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("address: ")
