"""Who is asked whether somebody may export, and what is recorded of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
import pytest
from django.db import connection

from audit.exports import permission, service
from audit.exports.errors import ExportInvalid, ExportRefused, ExportUndecided, TooManyExports
from audit.exports.reading import Wanted
from audit.models import Entry, Export
from audit.search import EntryFilter
from identity.principals import Principal, PrincipalKind
from tests.audit.exports.conftest import ask, made, record


def test_where_nobody_decides_nobody_may(olaf: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_decide", None)
    with pytest.raises(ExportRefused, match="nobody may"):
        ask(olaf)
    assert not Export.objects.exists()


def test_where_nothing_can_be_decided_by_nothing_is_exported(olaf: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    def undecided(_principal: Principal, _door: str) -> NoReturn:
        raise permission.Undecided("No policy set is active.")

    monkeypatch.setattr(permission, "_decide", undecided)
    with pytest.raises(ExportUndecided, match="No policy set is active"):
        ask(olaf)
    assert not Export.objects.exists()


def test_payloads_are_for_auditors_and_administrators_whatever_policy_permits(
    olaf: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = permission.Permission(True, ("everybody",), "Permitted.")
    monkeypatch.setattr(permission, "_decide", lambda _principal, _door: everybody)
    stranger = Principal(olaf.kind, 99, "rita", 99, "rita", frozenset({"dba"}))
    ask(stranger)
    with pytest.raises(ExportRefused, match="Payloads are for auditors"):
        ask(stranger, payloads=True)
    assert Entry.objects.get(kind="export.refused").fields["payloads"] is True


def test_whoever_has_the_machine_is_recorded_as_the_command_line(olaf: Principal) -> None:
    export = service.ask(None, Wanted("csv"), door="", publish=False)
    entry = Entry.objects.get(kind="export.requested").fields
    assert (entry["principal"], entry["policies"], export.most_rows) == ("command line", ["command-line"], None)


EVERYBODY = permission.Permission(True, ("everybody",), "Permitted.")
A_YEAR = EntryFilter(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_decide", lambda _principal, _door: EVERYBODY)


def test_reports_are_for_auditors_whatever_policy_permits(olaf: Principal, permitted: None) -> None:
    stranger = Principal(olaf.kind, 99, "rita", 99, "rita", frozenset({"dba"}))
    with pytest.raises(ExportRefused, match="Reports are for auditors"):
        ask(stranger, "pdf", report="privileged", filter=A_YEAR)
    assert Entry.objects.get(kind="export.refused").fields["policies"] == ["reports-for-auditors"]


@pytest.mark.parametrize(("form", "more"), [("bundle", {}), ("pdf", {"report": "privileged"})])
def test_an_agent_gets_nothing_that_tells_of_others(permitted: None, olaf: Principal, form: str, more: Any) -> None:
    bot = Principal(PrincipalKind.AGENT, 98, "bot", 1, "olaf", frozenset())
    with pytest.raises(ExportRefused):
        ask(bot, form, filter=A_YEAR, **more)
    assert not Export.objects.exists()


def test_an_agent_s_export_holds_its_own_entries_whatever_it_asks_for(permitted: None, olaf: Principal) -> None:
    record(principal="agent:bot")
    record(principal="agent:other")
    bot = Principal(PrincipalKind.AGENT, 98, "bot", 1, "olaf", frozenset())
    _, content = made(bot, filter=EntryFilter(principal="agent:other"))
    assert {orjson.loads(line)["principal"] for line in content.splitlines()} == {"agent:bot"}


def test_payloads_are_not_taken_away_by_one_who_is_no_auditor_any_more(olaf: Principal, permitted: None) -> None:
    export, _ = made(olaf, payloads=True)
    before = Principal(olaf.kind, olaf.id, olaf.name, olaf.owner_id, olaf.owner, frozenset())
    with pytest.raises(ExportRefused, match="Payloads are for auditors"):
        service.open_download(before, export, door="rest")
    assert Entry.objects.get(kind="export.refused").fields["export"] == str(export.pk)


def test_many_who_ask_at_once_get_no_more_than_one_after_the_other(olaf: Principal) -> None:
    def asked(_number: int) -> bool:
        try:
            ask(olaf)
        except TooManyExports:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(asked, range(12)))
    assert sum(answers) == Export.objects.count() == service.MOST_OPEN


@pytest.mark.parametrize("until", [datetime(2999, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_period_that_no_report_can_have_is_refused_at_once(olaf: Principal, until: datetime) -> None:
    with pytest.raises(ExportInvalid):
        ask(olaf, "pdf", report="privileged", filter=EntryFilter(since=A_YEAR.since, until=until))
    assert not Export.objects.exists()


def test_a_pdf_that_names_no_report_is_refused_with_their_names(olaf: Principal) -> None:
    with pytest.raises(ExportInvalid, match="none is named") as refused:
        ask(olaf, "pdf", filter=A_YEAR)
    assert "approvals" in refused.value.remedy
    assert not Export.objects.exists()
