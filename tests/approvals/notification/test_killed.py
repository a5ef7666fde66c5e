"""A real worker, and one that is killed with `kill -9` between sending and noting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.models import Notification
from approvals.notification import delivery, outbox
from tests.approvals.notification.conftest import Park
from tests.approvals.notification.sinks import MailServer
from tests.factories import Cast
from tests.fixtures import ground
from tests.fixtures.servers import Start, wait_until


def test_a_worker_that_is_killed_between_sending_and_noting_leaves_it_to_another(
    control_db: str, mail: MailServer, reached: Cast, park: Park
):
    reached.dora.groups.clear()
    park()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": control_db,
        "COUNTERSIGN_SMTP_URL": mail.address,
    }
    command = [sys.executable, "-m", "tests.approvals.notification.dying"]
    with subprocess.Popen(
        command, cwd=ground.REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"taken\n"
        worker.send_signal(signal.SIGKILL)
    held = Notification.objects.get(user=reached.rita)
    assert (held.state, held.attempts) == ("waiting", 1)
    later = timezone.now() + delivery.LEASE + timedelta(seconds=1)
    assert delivery.due_channels() == []
    delivery.work(delivery.MAIL, now=lambda: later)
    assert [one["Message-ID"] for one in mail.letters] == [mail.letters[0]["Message-ID"]] * 2
    delivery.work(delivery.MAIL, now=lambda: later + timedelta(days=1))
    assert len(mail.letters) == 2


def test_a_worker_delivers_within_moments_of_the_commit(
    mail: MailServer, reached: Cast, park: Park, start_worker: Start, monkeypatch: pytest.MonkeyPatch
):
    worker = start_worker(COUNTERSIGN_SMTP_URL=mail.address)  # type: ignore[call-arg]
    monkeypatch.undo()
    with monkeypatch.context() as patch:
        patch.setattr("django.conf.settings.SMTP", {"host": "is set", "port": 1})
        park()
    wait_until(lambda: len(mail.letters) == 2, worker, seconds=20)
    sent = Notification.objects.filter(state="sent")
    wait_until(lambda: sent.count() == 2, worker, seconds=20)
    assert outbox.DELIVER in worker.output()
