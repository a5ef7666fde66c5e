"""The pages of reports, their PDF, and the same over REST and by command."""

from __future__ import annotations

import html
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit import ledger
from audit.exports import permission
from audit.exports.permission import Permission
from audit.models import Entry, Head
from audit.reports.making import REPORTS
from identity.models import User
from tests.factories import Cast
from tests.web.conftest import Park, Run, SignIn

YEAR = "?period=year"


def bearer(cast: Cast, who: User) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": f"Bearer {cast.token(who)}"}


@pytest.mark.parametrize("name", ["", *REPORTS])
def test_reports_are_for_auditors_and_administrators(cast: Cast, root: User, sign_in: SignIn, name: str) -> None:
    page = f"/ledger/reports/{name}/" if name else "/ledger/reports/"
    codes = {who.username: sign_in(who).get(page).status_code for who in (cast.olaf, root, cast.rita, cast.alice)}
    assert codes == {"olaf": 200, "root": 200, "rita": 403, "alice": 403}
    assert Client().get(page).status_code == 302


def test_what_ran_is_in_the_report_with_links_into_the_ledger(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run("SELECT id, email FROM customers")
    text = sign_in(cast.olaf).get(f"/ledger/reports/sensitive-data/{YEAR}").text
    assert "1 principal ran 1 statement" in text
    assert "/ledger/?kind=statement.intent&amp;principal=agent%3Aanalyst-bot&amp;class=email" in text


def test_each_number_s_link_finds_the_entries_that_it_counts(cast: Cast, run: Run, sign_in: SignIn) -> None:
    run("SELECT id, email FROM customers")
    text = sign_in(cast.olaf).get("/ledger/?kind=statement.intent&principal=agent%3Aanalyst-bot&class=email").text
    assert f"/ledger/{Entry.objects.get(kind='statement.intent').index}/" in text


@pytest.mark.parametrize("wrong", ["period=decade", "since=2026-01-01", "since=x&until=y", "zone=Nowhere", "end=-1"])
def test_a_period_that_makes_no_sense_is_refused(cast: Cast, sign_in: SignIn, wrong: str) -> None:
    found = sign_in(cast.olaf).get(f"/ledger/reports/approvals/?{wrong}")
    assert found.status_code == 400
    assert "The report cannot be shown" in found.text


def test_tables_have_pages_that_speak_of_the_same_entries(cast: Cast, sign_in: SignIn) -> None:
    for number in range(30):
        ledger.append("payload.read", actor="user:olaf", entry=number, reason=f"reason {number:02}")
    client = sign_in(cast.olaf)
    first = client.get(f"/ledger/reports/privileged/{YEAR}").text
    address = html.unescape(re.findall(r'href="([^"]*page\.glass=2[^"]*)"', first)[0])
    assert "30 rows, page 1 of 2" in first
    assert "reason 29" not in first
    assert f"end={Head.objects.get().size}" in address
    second = client.get(f"/ledger/reports/privileged/{address}").text
    assert "reason 29" in second


def test_the_pdf_is_recorded_as_an_export(cast: Cast, sign_in: SignIn) -> None:
    found = sign_in(cast.olaf).post("/ledger/reports/integrity/pdf", {"period": "year"})
    assert found.content.startswith(b"%PDF-")
    assert found["Content-Disposition"].startswith('attachment; filename="countersign-integrity-')
    kinds = list(Entry.objects.filter(kind__startswith="export.").order_by("index").values_list("kind", flat=True))
    assert kinds == ["export.requested", "export.finished"]
    entry = Entry.objects.get(kind="export.finished")
    assert entry.fields["bytes"] == len(found.content)


def test_policy_can_refuse_the_pdf(cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Permission(False, ("no-exports",), "Exports are closed.")
    monkeypatch.setattr(permission, "_decide", lambda _principal, _door: refused)
    found = sign_in(cast.olaf).post("/ledger/reports/integrity/pdf", {"period": "year"})
    assert found.status_code == 403
    assert Entry.objects.get(kind="export.refused").fields["policies"] == ["no-exports"]
    assert not Entry.objects.filter(kind="export.requested").exists()


def test_a_get_never_makes_a_pdf(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.olaf).get("/ledger/reports/integrity/pdf").status_code == 405


# --- REST ---------------------------------------------------------------------------------------------------------


def test_reports_over_rest_are_for_auditors_and_administrators(cast: Cast, root: User, client: Client) -> None:
    for page in ("/api/v1/audit/reports", "/api/v1/audit/reports/approvals"):
        codes = [client.get(page, **bearer(cast, who)).status_code for who in (cast.olaf, root, cast.rita)]
        assert codes == [200, 200, 403]
        assert client.get(page, HTTP_AUTHORIZATION=f"Bearer {cast.token(cast.bot)}").status_code == 403


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_over_rest_names_its_range(cast: Cast, client: Client, park: Park, name: str) -> None:
    park()
    made = client.get(f"/api/v1/audit/reports/{name}{YEAR}", **bearer(cast, cast.olaf)).json()
    assert made["report"] == name
    assert made["computed_from"]["end"] > made["computed_from"]["first"]
    assert made["computed_from"]["checkpoint"]["note"]
    again = client.get(
        f"/api/v1/audit/reports/{name}{YEAR}&end={made['computed_from']['end']}", **bearer(cast, cast.olaf)
    ).json()
    assert again["sections"] == made["sections"]


@pytest.mark.parametrize(("query", "code"), [("?period=decade", 400), ("?colour=red", 400)])
def test_what_rest_does_not_know_is_refused(cast: Cast, client: Client, query: str, code: int) -> None:
    found = client.get(f"/api/v1/audit/reports/approvals{query}", **bearer(cast, cast.olaf))
    assert found.status_code == code
    assert found["Content-Type"] == "application/problem+json"


def test_a_report_that_there_is_not_is_told_with_those_that_there_are(cast: Cast, client: Client) -> None:
    found = client.get("/api/v1/audit/reports/nonsense", **bearer(cast, cast.olaf))
    assert found.status_code == 404
    assert "sensitive-data" in found.json()["detail"]


# --- The command --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "start"), [("pdf", b"%PDF-"), ("json", b"{"), ("html", b"<!doctype html>")])
def test_the_command_writes_what_the_file_s_name_says(cast: Cast, tmp_path: Path, suffix: str, start: bytes) -> None:
    target, said = tmp_path / f"report.{suffix}", StringIO()
    call_command("ledger", "report", "privileged", "--period", "year", "--output", str(target), stdout=said)
    assert target.read_bytes().startswith(start)
    assert "entries 0 to before" in said.getvalue()
    assert Entry.objects.filter(kind="export.finished").count() == 1


def test_the_html_file_needs_no_other(cast: Cast, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    call_command("ledger", "report", "policy-changes", "--period", "year", "--output", str(target), stdout=StringIO())
    text = target.read_text()
    assert "href=" not in text
    assert "src=" not in text


def test_the_json_file_is_what_rest_answers(cast: Cast, client: Client, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    call_command("ledger", "report", "approvals", "--period", "year", "--output", str(target), stdout=StringIO())
    written = json.loads(target.read_text())
    end = written["computed_from"]["end"]
    answered = client.get(f"/api/v1/audit/reports/approvals{YEAR}&end={end}", **bearer(cast, cast.olaf)).json()
    assert answered["sections"] == written["sections"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--output", "report.doc"], "must end with"),
        (["--since", "2026-01-01", "--output", "r.pdf"], "both its beginning and its end"),
        (["--zone", "Nowhere", "--output", "r.pdf"], "no time zone"),
        (["--output", "/nowhere/at/all/r.pdf"], "cannot be written"),
    ],
)
def test_the_command_says_what_is_wrong(cast: Cast, options: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("ledger", "report", "approvals", *options, stdout=StringIO())
