"""The pages of exports: asking from a search, progress, taking away, and who sees what."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from playwright.sync_api import Page, expect

from audit.exports.making import make
from audit.models import Entry, Export
from identity.models import User
from identity.people import add_user
from tests.factories import ACTOR, PASSWORD, Cast
from tests.web.conftest import SignIn

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture(autouse=True)
def exports_folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.EXPORTS_DIR = tmp_path / "exports"


@pytest.fixture
def olaf(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.olaf)


def ask(client: Client, query: str = "", **form: str) -> Export:
    response = client.post(f"/ledger/exports/new{query}", {"format": "csv", **form})
    assert (response.status_code, response.headers.get("Location")) == (302, "/ledger/exports/")
    return Export.objects.order_by("-created_at")[0]


def shown(client: Client, page: str = "/ledger/exports/") -> str:
    response = client.get(page)
    assert response.status_code == 200
    return response.content.decode()


def test_without_any_the_page_says_how_to_make_one(olaf: Client) -> None:
    assert "No exports yet" in shown(olaf)


def test_an_export_is_of_the_search_that_it_came_from(olaf: Client) -> None:
    page = shown(olaf, "/ledger/exports/new?datasource=shop&kind=statement.denied")
    export = ask(olaf, "?datasource=shop&kind=statement.denied")
    assert "shop" in page
    assert export.filter == {"datasource": ["shop"], "kind": ["statement.denied"]}


def test_a_search_that_cannot_be_read_is_never_taken_for_all(olaf: Client) -> None:
    response = olaf.post("/ledger/exports/new?kind=no.such.kind", {"format": "csv"})
    assert response.status_code == 400
    assert not Export.objects.exists()


def test_a_waiting_export_is_looked_at_again_and_again_and_can_be_cancelled(olaf: Client) -> None:
    export = ask(olaf)
    page = shown(olaf)
    assert 'hx-trigger="every 2s"' in page
    assert "Waiting" in page
    olaf.post(f"/ledger/exports/{export.pk}/cancel")
    page = shown(olaf)
    assert "Cancelled" in page
    assert "hx-trigger" not in page.split('id="exports"')[1].split(">")[0]


def test_a_finished_export_can_be_downloaded_and_that_is_recorded(olaf: Client) -> None:
    export = ask(olaf)
    make(export.pk)
    assert f"/ledger/exports/{export.pk}/file" in shown(olaf)
    response = olaf.get(f"/ledger/exports/{export.pk}/file")
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert Entry.objects.order_by("-index")[0].kind == "export.downloaded"


def test_what_failed_says_why(olaf: Client) -> None:
    export = ask(olaf)
    Export.objects.filter(pk=export.pk).update(state="failed", problem="There is no room for the file.")
    assert "There is no room for the file." in shown(olaf)


def test_a_report_needs_its_period(olaf: Client) -> None:
    response = olaf.post("/ledger/exports/new", {"format": "pdf", "report": "approvals"})
    assert response.status_code == 400
    assert "A report needs its period" in response.content.decode()


def test_payloads_are_offered_and_recorded(olaf: Client) -> None:
    assert "kept encrypted" in shown(olaf, "/ledger/exports/new")
    ask(olaf, format="ndjson", payloads="on")
    assert "with payloads" in shown(olaf)
    assert Entry.objects.get(kind="export.requested").fields["payloads"] is True


def test_others_exports_are_not_there(cast: Cast, olaf: Client, root: User, sign_in: SignIn) -> None:
    export = ask(sign_in(root))
    assert "No exports yet" in shown(olaf)
    assert olaf.get(f"/ledger/exports/{export.pk}/file").status_code == 404
    assert olaf.post(f"/ledger/exports/{export.pk}/cancel").status_code == 404


def test_who_may_not_export_is_told_who_may(cast: Cast, sign_in: SignIn) -> None:
    for page in ("/ledger/exports/", "/ledger/exports/new"):
        response = sign_in(cast.rita).get(page)
        assert response.status_code == 403
        assert "Exports are for group auditors" in response.content.decode()


@pytest.fixture
def vera(page: Page, cast: Cast) -> User:
    """An auditor who is signed in at the page."""
    user = add_user("vera", PASSWORD, ["auditors"], actor=ACTOR)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    user.refresh_from_db()  # signing in may have hashed the password anew
    return user


@pytest.mark.browser
@pytest.mark.usefixtures("celery_worker", "vera")
def test_a_worker_makes_it_while_the_page_watches_and_the_file_can_be_saved(page: Page) -> None:
    page.goto("/ledger/exports/new?kind=signin.succeeded")
    page.get_by_label("NDJSON").first.check()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator("#exports")).to_contain_text("Ready", timeout=30_000)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download").click()
    (line,) = Path(taken.value.path()).read_text().splitlines()
    assert '"principal":"user:vera"' in line


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_fit(page: Page, vera: User, sign_in: SignIn, width: int) -> None:
    client = sign_in(vera)
    make(ask(client).pk)
    failed = ask(client)
    Export.objects.filter(pk=failed.pk).update(state="failed", problem="There is no room for the file. " * 4)
    running = ask(client, "?datasource=shop&kind=statement.denied", format="ndjson", payloads="on")
    Export.objects.filter(pk=running.pk).update(state="running", next=running.end - 2, rows=1)
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/ledger/exports/", "/ledger/exports/new?datasource=shop"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text("xport")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
