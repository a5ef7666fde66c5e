"""Policies in a real Chromium: what is wrong is told while somebody types, and an edit is activated, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from governance.policy import store
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast
from tests.fixtures.servers import Server
from tests.web.conftest import Park
from tests.web.test_browser import complains, sign_in, sticking_out

pytestmark = pytest.mark.browser
READS = '@id("reads")\npermit (principal, action == Action::"read", resource);\n'


@pytest.fixture
def desk(page: Page, web_server: Server, cast: Cast) -> Iterator[Page]:
    """A page of a signed-in administrator; afterwards there was no script error and no request to another host."""
    add_user("vera", PASSWORD, ["dba"], is_administrator=True, actor=ACTOR)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if complains(message) else None)
    page.on("request", lambda asked: None if asked.url.startswith(web_server.url) else wrong.append(asked.url))
    sign_in(page)
    yield page
    assert wrong == []


@pytest.fixture
def editor(desk: Page) -> Page:
    desk.goto("/policy/edit/")
    return desk


def test_what_is_wrong_is_told_beside_its_line_while_somebody_types(editor: Page) -> None:
    box = editor.get_by_role("textbox", name="Policies, in Cedar")
    box.fill(READS)
    expect(editor.locator("#problems")).to_contain_text("Sound: 1 permit")
    box.press("Control+End")
    editor.keyboard.type('@id("wrong")\npermit (principal, action == Action::"reed", resource);')
    expect(editor.locator("#problems")).to_contain_text("Line 3")
    expect(editor.locator("#editor-lines li").nth(2)).to_have_attribute("data-mark", "error")
    expect(editor.locator("#editor-marks")).to_contain_text("reed")
    editor.get_by_role("link", name="Line 3").first.click()
    expect(box).to_be_focused()
    assert box.evaluate("e => e.value.slice(e.selectionStart, e.selectionEnd)") == '@id("wrong")'


def test_tab_indents_and_escape_lets_the_keyboard_out(editor: Page) -> None:
    box = editor.get_by_role("textbox", name="Policies, in Cedar")
    box.fill("")
    box.press("Tab")
    expect(box).to_have_value("  ")
    box.press("Control+z")
    expect(box).to_have_value("")
    box.press("Escape")
    box.press("Tab")
    expect(box).not_to_be_focused()
    expect(box).to_have_value("")


def test_an_edit_is_compared_and_activated(editor: Page, park: Park) -> None:
    park("DELETE FROM orders")
    editor.get_by_role("textbox", name="Policies, in Cedar").fill(READS)
    editor.get_by_role("button", name="Compare and activate…").click()
    expect(editor.get_by_role("heading", name="Activate this text")).to_be_visible()
    expect(editor.locator(".diff-removed").first).to_be_visible()
    expect(editor.get_by_text("1 of 1 statements")).to_be_visible()
    editor.get_by_label("Why").fill("only reading")
    editor.get_by_role("button", name="Activate it").click()
    expect(editor.get_by_text("Version 2 is in force.")).to_be_visible()
    assert store.active().text == READS


def test_going_back_to_the_editor_keeps_the_text(editor: Page) -> None:
    editor.get_by_role("textbox", name="Policies, in Cedar").fill(READS)
    editor.get_by_role("button", name="Compare and activate…").click()
    editor.get_by_role("button", name="Back to the editor").click()
    expect(editor.get_by_role("textbox", name="Policies, in Cedar")).to_have_value(READS)


def test_an_edit_is_not_left_by_accident(editor: Page) -> None:
    editor.get_by_role("textbox", name="Policies, in Cedar").press_sequentially("// mine")
    asked: list[str] = []

    def stay(dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    editor.once("dialog", stay)
    editor.get_by_role("link", name="Versions").click()
    expect(editor.get_by_role("heading", name="Edit the policy")).to_be_visible()
    assert asked == ["beforeunload"]
    editor.once("dialog", lambda dialog: dialog.accept())
    editor.get_by_role("link", name="Versions").click()
    expect(editor.get_by_role("table")).to_be_visible()


def test_an_untouched_text_is_left_without_a_question(editor: Page) -> None:
    editor.get_by_role("link", name="Versions").click()
    expect(editor.get_by_role("table")).to_be_visible()


def test_a_statement_and_a_replay_show_below_the_text_that_stays(editor: Page, park: Park) -> None:
    park("DELETE FROM orders")
    box = editor.get_by_role("textbox", name="Policies, in Cedar")
    box.fill(READS)
    editor.get_by_label("Statement", exact=True).fill("DELETE FROM orders WHERE id = 1")
    editor.get_by_role("button", name="Test", exact=True).click()
    expect(editor.locator("#tested")).to_contain_text("The edit changes this")
    editor.get_by_role("button", name="Replay").click()
    expect(editor.locator("#replayed")).to_contain_text("review → deny")
    expect(editor.locator("#replay-progress")).to_have_text("")
    expect(box).to_have_value(READS)


def test_two_versions_are_compared(desk: Page) -> None:
    store.activate(READS, ACTOR, "only reading")
    desk.goto("/policy/versions/")
    desk.get_by_role("button", name="Compare").click()
    expect(desk.get_by_role("heading", name="From version 1 to 2")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("mass-write removed")
    desk.get_by_role("link", name="Turn round").click()
    expect(desk.locator("main")).to_contain_text("mass-write added")


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_of_policies_scrolls_sideways(desk: Page, width: int) -> None:
    store.activate(READS + f"// {'x' * 300}\n", ACTOR, "y" * 300)
    desk.set_viewport_size({"width": width, "height": 780})
    pages = ["/policy/", "/policy/versions/", "/policy/versions/1/", "/policy/compare/?old=1&new=2"]
    pages += ["/policy/test/", "/policy/edit/", "/policy/proposals/"]
    assert {page: over for page in pages if (over := sticking_out(desk, page))} == {}
