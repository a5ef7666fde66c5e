"""The reviewer's whole path, in a real browser between real processes: a letter arrives, its link opens the page, the page is
read, Approve asks for a second factor, and the result stands there without a reload."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.models import Request
from audit.models import Entry
from governance.policy import store
from identity.models import User
from identity.signals import announced
from tests.approvals.notification.sinks import MailServer, mail_server, text_of
from tests.factories import ACTOR, PASSWORD, Cast
from tests.fixtures.databases import TargetDatabase
from tests.fixtures.servers import Server
from tests.identity.factors import code_of, give_app
from tests.story.conftest import Agent

pytestmark = pytest.mark.browser
MASS_WRITE = '@id("mass-write")'
COMMENT = "agreed on the phone"
SCREENS = {"desktop": (1280, 800), "phone": (360, 780)}
Show = Callable[[Page], None]
Start = Callable[..., Server]


@dataclass
class House:
    """An installation of the test's own: its mail goes to a server of the test's."""

    url: str
    agent: Agent
    mail: MailServer


@pytest.fixture
def rita(cast: Cast) -> User:
    """She has an address, and a password."""
    with announced():
        cast.rita.email = "rita@example.com"
        cast.rita.set_password(PASSWORD)
        cast.rita.save()
    return cast.rita


@pytest.fixture
def house(cast: Cast, rita: User, start_web: Start, start_worker: Start) -> Iterator[House]:
    """Whoever approves a mass write has shown a second factor within ten minutes."""
    text = store.default_text()
    assert text.count(MASS_WRITE) == 1
    store.activate(text.replace(MASS_WRITE, f'{MASS_WRITE}\n@step_up("10m")'), author=ACTOR)
    with mail_server() as mail:
        web = start_web(COUNTERSIGN_SMTP_URL=mail.address)
        # Passkeys need a name; the letter's link leads there.
        url = web.url.replace("127.0.0.1", "localhost")
        start_worker(COUNTERSIGN_SMTP_URL=mail.address, COUNTERSIGN_PUBLIC_URL=url)
        yield House(url, Agent(web.url, cast.token(cast.bot)), mail)


@contextmanager
def window(browser: Any, url: str, screen: str) -> Iterator[Page]:
    """A browser of one person. Afterwards no script has failed and the content security policy has stopped nothing."""
    width, height = SCREENS[screen]
    context = browser.new_context(base_url=url, viewport={"width": width, "height": height})
    context.set_default_timeout(15_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert wrong == []


def link_in(mail: MailServer) -> str:
    """The one link that leads to a request."""
    assert mail.arrived.wait(30)
    letter = mail.letters[0]
    assert str(letter["To"]) == "rita@example.com"
    found = re.search(r"http://localhost:\d+/requests/[0-9a-f-]{36}/", text_of(letter))
    assert found is not None, text_of(letter)
    return found.group()


def sign_in(page: Page) -> None:
    page.get_by_label("Username").fill("rita")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def show_code(key: str) -> Show:
    """The first code signs in; the next one approves. A minute need not pass: the next one is good already."""
    later = iter([0, 1])

    def show(page: Page) -> None:
        page.get_by_label("Code").fill(code_of(key, next(later)))
        page.get_by_role("button", name=re.compile("^(Sign in|Confirm)$")).click()

    return show


def show_passkey(page: Page) -> None:
    page.get_by_role("button", name="Use a passkey").click()


def add_passkey(page: Page) -> None:
    """On a device of Chromium's own making, before anything is asked for."""
    link = page.context.new_cdp_session(page)
    link.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    link.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto("/accounts/2fa/webauthn/add/")
    sign_in(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def forget_when(user: User) -> None:
    """As if she had signed in an hour ago: what she showed then is too old to approve with."""
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session

    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        for record in session.get("account_authentication_methods", []):
            record["at"] -= 3600
            session.modified = True
        session.save()


def walk(page: Page, house: House, user: User, show: Show) -> None:
    """From the letter to the result."""
    page.goto(link_in(house.mail))
    sign_in(page)
    show(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("orders")
    assert Request.objects.get().state == "pending", "opening the link decided something"
    forget_when(user)
    page.reload()
    page.get_by_label("Comment").fill(COMMENT)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("heading", name="Show your second factor")).to_be_visible()
    assert Request.objects.get().state == "pending", "pressing the button before the factor decided something"
    show(page)
    expect(page.get_by_label("Comment")).to_have_value(COMMENT)
    assert Request.objects.get().state == "pending", "showing the factor decided something"
    page.get_by_role("button", name="Approve", exact=True).click()
    # The page follows the worker by itself.
    expect(page.locator("#request-live")).to_contain_text("Executed", timeout=30_000)
    expect(page.locator("#request-live")).to_contain_text("60")


@pytest.mark.parametrize("screen", SCREENS)
def test_from_the_letter_to_the_result_with_an_app(
    browser: Any, cast: Cast, rita: User, house: House, shop: TargetDatabase, screen: str
) -> None:
    show = show_code(give_app(rita))
    parked = house.agent.submit("DELETE FROM orders", purpose="start afresh").json()
    assert parked["status"] == "parked"
    with window(browser, house.url, screen) as page:
        walk(page, house, rita, show)
    assert house.agent.get(f"queries/{parked['id']}?wait=30")["row_count"] == 60
    assert shop.fetch("SELECT count(*) FROM orders") == [(0,)]
    kinds = [one.kind for one in Entry.objects.order_by("index")]
    wanted = ["request.created", "notification.sent", "signin.succeeded", "factor.shown", "review.given"]
    wanted += ["request.approved", "execution.started", "execution.finished"]
    places = [
        len(kinds) - 1 - kinds[::-1].index(kind) if kind == "factor.shown" else kinds.index(kind) for kind in wanted
    ]
    assert places == sorted(places)
    assert [one.fields["reason"] for one in Entry.objects.filter(kind="factor.shown").order_by("index")] == [
        "at sign-in",
        "asked for again",
    ]


def test_from_the_letter_to_the_result_with_a_passkey(
    browser: Any, cast: Cast, rita: User, house: House, shop: TargetDatabase
) -> None:
    with window(browser, house.url, "desktop") as page:
        add_passkey(page)
        house.agent.submit("DELETE FROM orders", purpose="start afresh")
        walk(page, house, rita, show_passkey)
    assert shop.fetch("SELECT count(*) FROM orders") == [(0,)]
    assert Request.objects.get().reviews.get().second_factor_at is not None
