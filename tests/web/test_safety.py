"""Nothing inline, nothing from elsewhere, and no statement that becomes part of the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from audit.reports.making import REPORTS
from tests.factories import Cast
from tests.web.conftest import Park, Run, SignIn

HOSTILE = "DELETE FROM orders WHERE status <> '</pre><script>alert(1)</script>\" onload=\"x'"
ROOT = Path(__file__).parent.parent.parent
# A report that a command writes to a file, to be read where no style sheet of ours is: its one style has to be in it.
WRITTEN_TO_FILES = {"report-alone.html": ["inline <style>"]}


class Reader(HTMLParser):
    """Collects what the policy forbids, and addresses that lead away."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in given):
            self.wrong.append(f"inline <{tag}>")
        for name, value in given.items():
            if name == "style" or name.startswith("on") or name.startswith("hx-on"):
                self.wrong.append(f"{name}={value}")
            if name in ("src", "href", "action", "srcset", "poster") and re.match(r"[a-z]+:|//", value):
                self.wrong.append(f"{name}={value}")


def wrong_in(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.wrong


def test_no_page_has_anything_inline_or_from_another_host(cast: Cast, park: Park, run: Run, sign_in: SignIn) -> None:
    request, query, client = park(HOSTILE, purpose=HOSTILE), run(), sign_in(cast.olaf)
    pages = ["/", "/requests/", "/queries/", "/ledger/", "/ledger/0/", "/run/", "/patterns/", "/nowhere/"]
    pages += ["/accounts/logout/", "/accounts/password/set/", "/notifications/"]
    pages += [reverse("request-detail", args=[request.pk]), reverse("query-detail", args=[request.query.pk])]
    pages += [reverse("query-detail", args=[query.pk])]
    pages += ["/policy/", "/policy/versions/", "/policy/compare/?old=1&new=1", "/policy/test/", "/policy/proposals/"]
    assert {page: wrong for page in pages if (wrong := wrong_in(client.get(page).text))} == {}


def test_no_ledger_page_has_anything_inline_or_from_another_host(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run()
    client = sign_in(cast.olaf)
    pages = ["/ledger/", "/ledger/?text=customers", "/ledger/searches/", "/ledger/0/", "/ledger/integrity/"]
    pages += ["/ledger/exports/", "/ledger/exports/new", "/ledger/reports/"]
    pages += [f"/ledger/reports/{name}/" for name in REPORTS]
    answers = {page: client.get(page) for page in pages}
    assert {page: answer.status_code for page, answer in answers.items() if answer.status_code != 200} == {}
    assert {page: wrong for page, answer in answers.items() if (wrong := wrong_in(answer.text))} == {}


@pytest.mark.parametrize("page", ["login", "signup", "password/reset", "inactive"])
def test_no_page_before_sign_in_has_anything_inline(control_db: str, page: str) -> None:
    response = Client().get(f"/accounts/{page}/")
    assert response.status_code == 200
    assert wrong_in(response.text) == []


@pytest.mark.parametrize("page", ["/", "/accounts/login/", "/nowhere/", "/static/nowhere.css"])
def test_every_answer_carries_the_policy(cast: Cast, sign_in: SignIn, page: str) -> None:
    policy = sign_in(cast.rita).get(page)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_statement_never_becomes_markup(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(HOSTILE, purpose=HOSTILE), sign_in(cast.rita)
    for page in ("/", "/requests/", "/queries/", "/ledger/", reverse("request-detail", args=[request.pk])):
        text = client.get(page).text
        assert "<script>alert" not in text
        assert '" onload="x' not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_filters_are_given_back_escaped(cast: Cast, sign_in: SignIn) -> None:
    for page in ("/ledger/?principal=", "/queries/?principal=", "/requests/?show="):
        assert '"><b>' not in sign_in(cast.rita).get(page + '"><b>').text


def test_templates_hold_no_script_and_no_style() -> None:
    wrong = {path.name: found for path in (ROOT / "templates").rglob("*.html") if (found := wrong_in(path.read_text()))}
    assert wrong == WRITTEN_TO_FILES


@pytest.mark.parametrize("template", WRITTEN_TO_FILES)
def test_what_carries_its_own_style_is_never_a_page(template: str) -> None:
    modules = [path for app in ("audit", "gateway", "approvals", "governance") for path in (ROOT / app).rglob("*.py")]
    naming = {str(path.relative_to(ROOT)) for path in modules if template in path.read_text()}
    assert naming == {"audit/commands/report.py"}


def test_scripts_never_write_markup_or_run_text() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [path.name for path in (ROOT / "static/js").glob("*.js") if forbidden.search(path.read_text())] == []
