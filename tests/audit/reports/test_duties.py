"""Separation of duties is worked out from entries; each way of breaking it is found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.reports.making import make_report
from audit.reports.model import Period, Report, Table
from tests.audit.reports.filling import SINCE, UNTIL, Filling, add_request, request

pytestmark = pytest.mark.usefixtures("control_db")
DAY = SINCE + timedelta(days=1)


def table(report: Report, key: str) -> Table:
    return next(one for one in report.tables if one.key == key)


def approvals(log: Filling) -> Report:
    log.write()
    return make_report("approvals", Period(SINCE, UNTIL))


def violated(report: Report) -> list[str]:
    return [str(row[1].value) for row in table(report, "violations").rows]


def test_duties_that_were_kept_apart_show_no_violation():
    log = Filling()
    add_request(log, 1, DAY, reviewers=("rita", "dora"), required="2 of dba")
    report = approvals(log)
    assert violated(report) == []
    assert [row[3].value for row in table(report, "duties").rows] == ["kept"] * 6
    assert "NOT" not in report.summary


def test_a_rule_that_nothing_came_under_is_not_said_to_be_kept():
    log = Filling()
    add_request(log, 1, DAY, reviewers=("rita",), verdict="reject")
    rows = table(approvals(log), "duties").rows
    assert {(row[1].value, row[3].value, row[3].tone) for row in rows} == {
        (1, "kept", "allow"),
        (0, "nothing to check", ""),
    }


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"principal": "user:rita", "owner": "rita"}, "No requester reviewed their own request."),
        ({"reviewers": ("ada",)}, "No owner reviewed what their agent asked for."),
        ({"reviewers": ("agent:helper",)}, "Only people reviewed; no agent did."),
        ({"reviewers": ("rita", "rita")}, "Nobody reviewed the same request twice."),
        ({"required": "2 of dba"}, "Every approved request had its quorum of distinct people."),
        ({"required": "1 of security"}, "Every approved request had its quorum of distinct people."),
    ],
)
def test_a_broken_duty_is_found(asked: dict[str, object], rule: str):
    log = Filling()
    add_request(log, 1, DAY, **asked)  # type: ignore[arg-type]
    report = approvals(log)
    assert violated(report) == [rule]
    assert "NOT kept apart" in report.summary


def test_what_ran_without_an_approval_is_found():
    log = Filling()
    add_request(log, 1, DAY, reviewers=())
    log.add(DAY + timedelta(hours=1), "execution.started", request=request(1), principal="agent:bot")
    report = approvals(log)
    assert violated(report) == ["Nothing ran before it was approved."]
    (row,) = table(report, "violations").rows
    assert row[0].value == 1


def test_a_review_of_a_request_asked_before_the_period_is_checked_too():
    log = Filling()
    add_request(log, 1, SINCE - timedelta(minutes=1), reviewers=("ada",))
    assert violated(approvals(log)) == ["No owner reviewed what their agent asked for."]
