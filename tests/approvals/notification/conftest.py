"""People with addresses, and a mail server that takes what they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from approvals.models import Request
from approvals.notification import delivery
from config.settings import smtp_server
from gateway.pipeline import submit
from identity.models import User
from identity.signals import announced
from tests.approvals.notification.sinks import MailServer, mail_server
from tests.audit.forwarding.receivers import Webhook as Hook
from tests.audit.forwarding.receivers import webhook_server
from tests.factories import Cast

UseMail = Callable[[MailServer], None]
Deliver = Callable[..., None]
Park = Callable[..., Request]


@pytest.fixture(autouse=True)
def _no_worker(nobody_works: None) -> None:
    """What these tests deliver they deliver themselves."""


@pytest.fixture
def use_mail(settings: LazySettings) -> UseMail:
    def use(server: MailServer) -> None:
        settings.SMTP = smtp_server(server.address)

    return use


@pytest.fixture
def mail(use_mail: UseMail) -> Iterator[MailServer]:
    with mail_server() as server:
        use_mail(server)
        yield server


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook_server() as server:
        yield server


def give_addresses(*people: User) -> None:
    with announced():
        for person in people:
            person.email = f"{person.username}@example.com"
            person.save(update_fields=["email"])


@pytest.fixture
def reached(cast: Cast) -> Cast:
    """The cast, all with addresses."""
    give_addresses(cast.alice, cast.rita, cast.dora, cast.mallory, cast.olaf)
    return cast


@pytest.fixture
def park(cast: Cast) -> Park:
    def parked(sql: str = "DELETE FROM orders", **more: Any) -> Request:
        request = submit(cast.submission(sql, **more)).query.request
        assert request is not None
        return request

    return parked


@pytest.fixture
def deliver() -> Deliver:
    """Everything that is due, at this moment or at `at`."""

    def delivered(at: datetime | None = None) -> None:
        for channel in delivery.due_channels(at):
            delivery.work(channel, now=lambda: at or timezone.now())

    return delivered
