"""What each report counts, from a log whose entries are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from audit import ledger
from audit.reports.controls import CONTROLS
from audit.reports.making import REPORTS, make_report
from audit.reports.model import Figures, Period, Plot, Report, Table, Value
from audit.reports.sources import ReportError
from tests.audit.reports.filling import SINCE, UNTIL, Filling, add_request, request, statement

pytestmark = pytest.mark.usefixtures("control_db")
MONTH = Period(SINCE, UNTIL)
DAY = SINCE + timedelta(days=3)


def made(name: str, log: Filling) -> Report:
    log.write()
    return make_report(name, MONTH)


def figure(report: Report, label: str) -> Value:
    (figures,) = (section for section in report.sections if isinstance(section, Figures))
    return next(one.value for one in figures.items if one.label == label)


def table(report: Report, key: str) -> Table:
    return next(one for one in report.tables if one.key == key)


def values(report: Report, key: str) -> list[list[Value]]:
    return [[cell.value for cell in row] for row in table(report, key).rows]


def plots(report: Report) -> list[Plot]:
    return [section for section in report.sections if isinstance(section, Plot)]


@pytest.fixture
def touched() -> Filling:
    log = Filling()
    log.add(DAY, "statement.intent", **statement(classes=["email", "phone"]))
    log.add(DAY, "statement.intent", **statement(classes=["email"], on_behalf_of="anna"))
    log.add(DAY, "statement.intent", **statement("user:rita", "rita", classes=["email", "salary"], unmasked=["salary"]))
    log.add(DAY, "statement.intent", **statement())
    log.add(DAY, "statement.denied", **statement(classes=["salary"]))
    log.add(UNTIL, "statement.intent", **statement(classes=["email"]))
    return log


def test_statements_are_counted_by_principal_and_class(touched: Filling):
    report = made("sensitive-data", touched)
    assert values(report, "matrix") == [["agent:bot", 2, 1, None], ["user:rita", 1, None, 1]]
    assert [column.title for column in table(report, "matrix").columns] == ["Principal", "email", "phone", "salary"]


def test_a_statement_of_two_classes_is_one_statement(touched: Filling):
    report = made("sensitive-data", touched)
    assert figure(report, "statements") == 3
    assert sum(plots(report)[0].totals) == 3


def test_raw_values_seen_are_counted_apart(touched: Filling):
    report = made("sensitive-data", touched)
    assert figure(report, "saw raw values") == 1
    assert ["salary", 1, 0, 1, 1] in values(report, "classes")


def test_on_whose_behalf_is_told(touched: Filling):
    assert ["agent:bot", "anna", "email", 1, 0, None] in values(made("sensitive-data", touched), "details")


def test_who_approved_is_told():
    log = Filling()
    add_request(log, 1, DAY, reviewers=("rita", "dora"))
    log.add(DAY + timedelta(hours=1), "statement.intent", **statement(classes=["email"], request=request(1)))
    report = made("sensitive-data", log)
    assert [row[-1] for row in values(report, "approved")] == ["rita and dora"]
    assert [row[-1] for row in values(report, "details")] == ["dora and rita"]


def test_numbers_lead_to_the_entries_that_they_count(touched: Filling):
    cell = table(made("sensitive-data", touched), "matrix").rows[0][1]
    assert dict(cell.search) == {
        "kind": "statement.intent", "principal": "agent:bot", "class": "email", "since": "2026-10-01T00:00:00",
        "until": "2026-11-01T00:00:00",
    }  # fmt: skip


def test_privileged_statements_count_once_each():
    log = Filling()
    log.add(DAY, "statement.intent", **statement(kinds=["ddl"]))
    log.add(DAY, "statement.parked", **statement(kinds=["write", "privilege"], request=request(1)))
    log.add(DAY, "statement.intent", **statement(kinds=["privilege"], request=request(1)))
    log.add(DAY, "statement.denied", **statement(kinds=["admin"]))
    log.add(DAY, "statement.intent", **statement(kinds=["read"], relations=["public.admin"]))
    report = made("privileged", log)
    assert figure(report, "privileged statements") == 3
    assert sorted(str(row[6]) for row in values(report, "statements")) == ["denied", "parked", "ran"]


def test_failed_sign_ins_are_grouped_by_name_and_address():
    log = Filling()
    for minutes in range(3):
        log.add(DAY + timedelta(minutes=minutes), "signin.failed", username="root", address="10.0.0.1")
    log.add(DAY, "signin.failed", username="root", address="10.0.0.2")
    report = made("privileged", log)
    assert figure(report, "failed sign-ins") == 4
    assert values(report, "failures")[0] == ["root", "10.0.0.1", 3, DAY, DAY + timedelta(minutes=2)]


@pytest.mark.parametrize(
    ("kind", "fields", "label"),
    [
        ("payload.read", {"actor": "user:olaf", "entry": 4}, "behind the glass"),
        ("subject.erased", {"actor": "user:root", "keys": ["k"]}, "behind the glass"),
        ("key.rotated", {"key": "a1"}, "behind the glass"),
        ("policy.activated", {"actor": "root"}, "changes of the rules"),
        ("classification.changed", {"actor": "root", "datasource": "shop"}, "changes of the rules"),
        ("credential.issued", {"credential": "1", "actor": "root"}, "changes of who may act"),
        ("agent.added", {"actor": "root", "agent": "bot"}, "changes of who may act"),
    ],
)
def test_administration_is_counted_under_its_heading(kind: str, fields: dict[str, object], label: str):
    log = Filling()
    log.add(DAY, kind, **fields)
    assert figure(made("privileged", log), label) == 1


def test_times_of_approvals_are_between_entries():
    log = Filling()
    for number, minutes in enumerate((10, 20, 90), start=1):
        add_request(log, number, DAY, after=timedelta(minutes=minutes) - timedelta(seconds=1))
    add_request(log, 9, DAY, reviewers=())
    report = made("approvals", log)
    assert figure(report, "asked to decided, median") == 1200
    assert figure(report, "asked to decided, p95") == 5400
    assert figure(report, "approved to run, median") == 2
    assert sum(plots(report)[1].totals) == 3
    assert values(report, "groups") == [["dba", 4, 3, 0, 1200, 5400, 1]]


def test_what_is_decided_after_the_range_is_open_in_it():
    log = Filling()
    add_request(log, 1, UNTIL - timedelta(minutes=1))
    report = made("approvals", log)
    assert [row[5] for row in values(report, "requests")] == ["open"]


def test_policy_versions_name_author_and_reviewers():
    log = Filling()
    proposal = {"proposal": request(7)}
    log.add(DAY, "policy.proposed", actor="root", required=["1 of dba"], comment="park DDL", **proposal)
    log.add(DAY + timedelta(hours=1), "policy.reviewed", actor="user:rita", review="approve", **proposal)
    log.add(DAY + timedelta(hours=2), "policy.activated", actor="root", version=2, reviewers=["rita"], **proposal)
    log.add(DAY + timedelta(hours=3), "policy.activated", actor="root", version=3, previous=2)
    report = made("policy-changes", log)
    assert [row[5] for row in values(report, "versions")] == ["rita", "not reviewed"]
    assert values(report, "proposals")[0][5:] == ["rita (approve)", "activated", 7200]
    assert figure(report, "without a review") == 1


def test_growth_adds_up_to_the_entries_of_the_range():
    log = Filling()
    for day in range(31):
        for _ in range(day):
            log.add(SINCE + timedelta(days=day, hours=5), "signin.succeeded", principal="user:rita")
    report = made("integrity", log)
    assert plots(report)[0].series[0].values == tuple(range(31))
    assert figure(report, "entries") == report.basis.count == sum(range(31))


def test_a_statement_without_an_end_is_told():
    log = Filling()
    ended = statement()
    log.add(DAY, "statement.intent", **ended)
    log.add(DAY + timedelta(seconds=1), "statement.outcome", **ended, status="executed")
    log.add(DAY, "statement.intent", **statement())
    assert figure(made("integrity", log), "open statements") == 1


def test_a_missing_entry_is_told():
    log = Filling()
    for _ in range(3):
        log.add(DAY, "signin.succeeded", principal="user:rita")
    assert figure(made("integrity", log), "missing") == 0
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; DELETE FROM audit_entry WHERE index = 1; RESET ALL")
    report = make_report("integrity", MONTH)
    assert figure(report, "missing") == 1
    assert "MISSING" in report.summary


def test_a_header_that_cannot_be_read_fails_the_report_and_says_what_next():
    log = Filling()
    log.add(DAY, "statement.intent", **statement(classes=["email"]))
    log.write()
    make_report("sensitive-data", MONTH)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica;"
            """UPDATE audit_entry SET header = '"classes":["'::bytea || header; RESET ALL"""
        )
    with pytest.raises(ReportError, match="ledger verify"):
        make_report("sensitive-data", replace(MONTH, zone="Europe/London"))


# --- All of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_an_empty_period_is_a_report_too(name: str):
    report = make_report(name, MONTH)
    assert report.basis.count == 0
    assert report.summary


@pytest.mark.parametrize("name", REPORTS)
def test_the_same_range_is_the_same_report_whatever_is_written_later(name: str, touched: Filling):
    add_request(touched, 1, DAY)
    first = made(name, touched)
    ledger.append("signin.failed", username="later")
    assert make_report(name, MONTH, first.basis.end) == first


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_names_the_range_and_a_signed_checkpoint_that_covers_it(name: str, touched: Filling):
    basis = made(name, touched).basis
    assert (basis.first, basis.end) == (0, 5)
    assert basis.size >= basis.end
    assert f"\n{basis.size}\n" in basis.note


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_speaks_to_controls_without_claiming_them(name: str):
    assert len({control.framework for control in CONTROLS[name]}) >= 4
    assert all(control.asks.endswith(".") for control in CONTROLS[name])


@pytest.mark.parametrize("name", REPORTS)
def test_rows_fit_their_columns(name: str, touched: Filling):
    add_request(touched, 1, DAY)
    for one in made(name, touched).tables:
        assert {len(row) for row in one.rows} <= {len(one.columns)}
