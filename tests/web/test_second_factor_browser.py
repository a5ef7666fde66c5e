"""Second factors in a real Chromium: an app set up from the page, passkeys of a virtual authenticator, under the product's own
content security policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.models import Request
from audit.models import Entry
from identity.models import User
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast
from tests.fixtures.servers import Server
from tests.identity.factors import code_of, give_app, give_recovery_codes
from tests.web.conftest import Park
from tests.web.test_browser import sticking_out

pytestmark = pytest.mark.browser


@pytest.fixture
def vera(cast: Cast) -> User:
    return add_user("vera", PASSWORD, ["dba"], actor=ACTOR)


@pytest.fixture
def desk(browser: Any, web_server: Server, vera: User) -> Iterator[Page]:
    """At `localhost`, where browsers make passkeys without HTTPS. Afterwards nothing was blocked and no script failed."""
    url = web_server.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("request", lambda asked: None if asked.url.startswith(url) else wrong.append(asked.url))
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def token(desk: Page) -> Any:
    """A fingerprint reader of Chromium's own making. Called, it forgets what it holds."""
    link = desk.context.new_cdp_session(desk)
    link.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    made = link.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return lambda: link.send("WebAuthn.clearCredentials", {"authenticatorId": made["authenticatorId"]})


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def show_password(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def add_passkey(page: Page, name: str = "Laptop") -> None:
    page.get_by_role("link", name="Add a passkey").click()
    show_password(page)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def test_an_app_is_set_up_from_the_page(desk: Page, vera: User) -> None:
    sign_in(desk)
    desk.get_by_role("link", name="Second factor").click()
    desk.get_by_role("link", name="Set up an app").click()
    show_password(desk)
    drawing = desk.get_by_role("img", name="QR code").bounding_box()
    assert drawing is not None
    assert drawing["width"] > 150
    key = desk.locator("main code").inner_text().replace(" ", "")
    desk.get_by_label("Code that the app shows").fill(code_of(key))
    desk.get_by_role("button", name="Set it up").click()
    expect(desk.locator(".recovery-codes li")).to_have_count(10)


def test_a_passkey_is_added_and_signs_in_after_the_password(desk: Page, vera: User, token: Any) -> None:
    sign_in(desk)
    desk.goto("/accounts/2fa/")
    add_passkey(desk)
    desk.get_by_role("button", name="Sign out").click()
    sign_in(desk)
    desk.get_by_role("button", name="Use a passkey").click()
    expect(desk.get_by_role("heading", name="Dashboard")).to_be_visible()
    told = [one.fields for one in Entry.objects.filter(kind="factor.shown")]
    assert [(one["factor"], one["name"], one["reason"]) for one in told] == [("passkey", "Laptop", "at sign-in")]


def test_a_passkey_is_shown_at_the_moment_of_approving(desk: Page, vera: User, token: Any, park: Park) -> None:
    request = park()
    Request.objects.filter(pk=request.pk).update(terms={"step_up": 600})
    sign_in(desk)
    desk.goto("/accounts/2fa/")
    add_passkey(desk)
    desk.goto(f"/requests/{request.pk}/")
    desk.get_by_label("Comment").fill("agreed on the phone")
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_role("button", name="Use a passkey").click()
    expect(desk.get_by_label("Comment")).to_have_value("agreed on the phone")
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("Approved. A worker runs it now")).to_be_visible()
    assert request.reviews.get().second_factor_at is not None


def test_a_device_without_the_passkey_says_so_and_a_code_still_signs_in(desk: Page, vera: User, token: Any) -> None:
    sign_in(desk)
    desk.goto("/accounts/2fa/")
    add_passkey(desk)
    code = desk.locator(".recovery-codes code").first.inner_text()
    desk.get_by_role("button", name="Sign out").click()
    sign_in(desk)
    token()
    desk.get_by_role("button", name="Use a passkey").click()
    expect(desk.get_by_role("alert")).to_contain_text("Nothing was sent")
    desk.get_by_label("Code").fill(code)
    desk.get_by_role("button", name="Sign in", exact=True).click()
    expect(desk.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_without_scripts_a_code_signs_in(browser: Any, web_server: Server, vera: User) -> None:
    key = give_app(vera)
    context = browser.new_context(base_url=web_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.get_by_label("Code").fill(code_of(key))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_of_factors_scrolls_sideways(desk: Page, vera: User, token: Any, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 780})
    sign_in(desk)
    desk.goto("/accounts/2fa/")
    add_passkey(desk, "A name as long as names can be, or nearly")
    pages = ["/accounts/2fa/", "/accounts/2fa/recovery-codes/", "/accounts/2fa/webauthn/", "/accounts/2fa/show/"]
    assert {page: over for page in pages if (over := sticking_out(desk, page))} == {}


def test_setting_up_an_app_does_not_scroll_sideways_on_a_phone(desk: Page, vera: User) -> None:
    desk.set_viewport_size({"width": 360, "height": 780})
    sign_in(desk)
    desk.goto("/accounts/2fa/totp/activate/")
    show_password(desk)
    assert sticking_out(desk, "/accounts/2fa/totp/activate/") == []


def test_an_app_and_codes_are_asked_for_at_sign_in(desk: Page, vera: User) -> None:
    give_app(vera)
    codes = give_recovery_codes(vera)
    sign_in(desk)
    desk.get_by_label("Code").fill("000000")
    desk.get_by_role("button", name="Sign in", exact=True).click()
    expect(desk.get_by_text("That is not right")).to_be_visible()
    desk.get_by_label("Code").fill(codes[3])
    desk.get_by_role("button", name="Sign in", exact=True).click()
    expect(desk.get_by_role("heading", name="Dashboard")).to_be_visible()
