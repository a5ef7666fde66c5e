"""The main job, end to end: an agent asks, a person decides in a browser, a worker runs it, the log proves it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from identity.models import User
from tests.factories import PASSWORD, Cast
from tests.fixtures.databases import TargetDatabase
from tests.fixtures.servers import Server
from tests.story.conftest import Agent

pytestmark = pytest.mark.browser
WORDS = {"Allowed": "allow", "Review": "review", "Denied": "deny"}


@pytest.fixture
def agent(cast: Cast, web_server: Server) -> Agent:
    return Agent(web_server.url, cast.token(cast.bot))


def sign_in(page: Any, user: User) -> None:
    user.set_password(PASSWORD)
    user.save()
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Dashboard").wait_for()


def test_a_person_approves_in_the_browser_and_the_agent_s_poll_gets_the_result(
    cast: Cast, agent: Agent, celery_worker: Server, page: Any, shop: TargetDatabase
) -> None:
    parked = agent.submit("DELETE FROM orders", purpose="start afresh").json()
    sign_in(page, cast.rita)
    page.goto(f"/requests/{parked['request']['id']}/")
    page.get_by_label("Comment").fill("agreed on the phone")
    page.get_by_role("button", name="Approve").click()
    polled = agent.get(f"queries/{parked['id']}?wait=30")
    assert (polled["status"], polled["row_count"]) == ("executed", 60)
    assert agent.get(f"queries/{parked['id']}/result")["row_count"] == 60
    assert shop.fetch("SELECT count(*) FROM orders") == [(0,)]


def test_the_result_can_be_waited_for_with_the_submission_itself(
    cast: Cast, agent: Agent, celery_worker: Server, shop: TargetDatabase
) -> None:
    """`wait` holds the answer until the request has been decided and run."""
    from threading import Thread

    def approve_when_it_is_there() -> None:
        rita = Agent(str(agent.client.base_url).removesuffix("/api/v1/"), cast.token(cast.rita))
        while not (found := rita.get("requests?which=mine")["results"]):
            time.sleep(0.05)
        rita.client.post(f"requests/{found[0]['id']}/reviews", json={"verdict": "approve", "comment": ""})

    cast.token(cast.rita)
    reviewer = Thread(target=approve_when_it_is_there)
    reviewer.start()
    answer = agent.submit("DELETE FROM orders", wait=30)
    reviewer.join()
    assert (answer.status_code, answer.json()["row_count"]) == (200, 60)


def test_p5_the_owner_of_the_agent_finds_no_button(cast: Cast, agent: Agent, page: Any) -> None:
    parked = agent.submit("DELETE FROM orders").json()
    sign_in(page, cast.alice)
    page.goto(f"/requests/{parked['request']['id']}/")
    assert page.get_by_role("button", name="Approve").count() == 0
    assert "You cannot review it" in page.content()


def test_the_ledger_page_shows_it_and_an_edited_row_is_named(cast: Cast, agent: Agent, page: Any) -> None:
    denied = agent.submit("DROP TABLE orders").json()
    sign_in(page, cast.olaf)
    page.goto("/ledger/")
    assert "Statement denied" in page.content()
    call_command("ledger", "verify")
    index = denied["ledger"]["index"]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE audit_entry SET kind = 'statement.intent' WHERE index = %s", [index])
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(CommandError, match=f"entry {index}"):
        call_command("ledger", "verify")


def test_p7_rest_and_the_browser_reach_the_same_verdict(cast: Cast, web_server: Server, page: Any) -> None:
    statements = ["SELECT email FROM customers", "DELETE FROM orders", "DROP TABLE orders", "SELECT raw_email(1)"]
    rita = Agent(web_server.url, cast.token(cast.rita))
    over_rest = [
        rita.client.post("check", json={"datasource": "shop", "sql": sql}).json()["decision"]["verdict"]
        for sql in statements
    ]
    sign_in(page, cast.rita)
    in_browser = []
    for sql in statements:
        page.goto("/run/")
        page.locator("textarea[name=sql]").fill(sql)
        page.get_by_role("button", name="Check").click()
        in_browser.append(WORDS[page.locator("#outcome .badge").first.inner_text()])
    assert in_browser == over_rest == ["allow", "review", "deny", "deny"]
