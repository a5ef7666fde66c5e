"""When something is wrong, the page says what, and never more than it should."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from audit.ledger import LedgerUnavailable
from gateway.web.errors import server_error
from tests.factories import Cast


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception, cast: Cast) -> Client:
    def fail(*_arguments: object, **_keywords: object) -> None:
        raise error

    monkeypatch.setattr("audit.search.current_head", fail)
    client = Client(raise_request_exception=False)
    client.force_login(cast.rita)
    return client


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OperationalError("connection to 10.1.2.3 refused"), 503, "The control database does not answer."),
        (LedgerUnavailable("no disk"), 503, "The ledger cannot record"),
        (ZeroDivisionError("secret"), 500, "Something failed on our side"),
    ],
)
def test_a_service_that_is_away_is_told_from_a_fault(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    response = broken(monkeypatch, error, cast).get("/ledger/")
    assert response.status_code == status
    assert said in response.text
    assert str(error) not in response.text


def test_the_page_for_faults_needs_neither_database_nor_context() -> None:
    response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert b"</html>" in response.content


def test_a_page_that_does_not_exist_looks_like_one_that_is_not_yours(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.rita)
    assert "There is nothing here that you may see" in client.get("/requests/nonsense/").text
