"""Signing in and out, and the pages around it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from identity.models import User
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD

CREDENTIALS = {"login": "rita", "password": PASSWORD}


@pytest.fixture
def client(control_db: str) -> Client:
    add_user("rita", PASSWORD, ["dba"], actor=ACTOR)
    return Client()


def test_a_person_signs_in_and_lands_on_the_page_they_asked_for(client: Client) -> None:
    response = client.post("/accounts/login/?next=/requests/", CREDENTIALS)
    assert response["Location"] == "/requests/"


def test_an_address_elsewhere_is_not_followed_after_sign_in(client: Client) -> None:
    response = client.post("/accounts/login/?next=https://evil.example/", CREDENTIALS)
    assert response["Location"] == "/"


@pytest.mark.parametrize("wrong", [{"password": "guessed it"}, {"login": "nobody"}, {"login": '"><script>'}])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(client: Client, wrong: dict[str, str]) -> None:
    text = client.post("/accounts/login/", CREDENTIALS | wrong).text
    assert "The username and/or password you specified are not correct." in text
    assert "<script>" not in text


def test_nobody_signs_up_by_themselves(client: Client) -> None:
    response = client.post("/accounts/signup/", {"username": "eve", "password1": PASSWORD})
    assert "People are added by an administrator" in response.text


def test_signing_out_takes_a_form_and_ends_the_session(client: Client) -> None:
    client.post("/accounts/login/", CREDENTIALS)
    assert client.get("/accounts/logout/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


def test_a_password_is_changed_with_the_old_one_only(client: Client) -> None:
    client.post("/accounts/login/", CREDENTIALS)
    new = {"password1": PASSWORD + "2", "password2": PASSWORD + "2"}
    assert "wrong" not in client.get("/accounts/password/change/").text
    assert client.post("/accounts/password/change/", {"oldpassword": "guess", **new}).status_code == 200
    assert client.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new}).status_code == 302


@pytest.mark.parametrize("action", ["add", "primary", "remove", "send"])
def test_p5_no_page_but_that_of_notification_changes_whose_address_is_known(client: Client, action: str) -> None:
    """Whoever could take an address of theirs away could then review what runs on behalf of it."""
    rita = User.objects.get()
    EmailAddress.objects.create(user=rita, email="rita@example.com")
    client.force_login(rita)
    given = "new@example.com" if action == "add" else "rita@example.com"
    response = client.post("/accounts/email/", {f"action_{action}": "", "email": given})
    assert (response.status_code, response["Location"]) == (302, "/notifications/")
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["rita@example.com"]
    rita.refresh_from_db()
    assert rita.email == ""
