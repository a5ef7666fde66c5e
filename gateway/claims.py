"""Who is at a request: one process at a time, and only while it lives.

An advisory lock on the control database, held by a session of its own, which the database ends with the process. A process
that is stopped, or cut off, does not end; it no longer says that it is there, and the database ends its session after a
while. It may wake up again: what keeps it from committing then is the attempt's number (`gateway/attempts.py`).
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

logger = logging.getLogger(__name__)
SILENT_MS = 20_000
EVERY_SECONDS = 4.0
NAME = "countersign-claim"


@contextmanager
def held(request_id: uuid.UUID) -> Iterator[bool]:
    """Whether this process is the one that runs or settles the request, as long as the block lasts."""
    key = request_id.int & (2**63 - 1)
    with psycopg.connect(**_parameters(), autocommit=True) as session:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        if not (row and row[0]):
            yield False
            return
        over = threading.Event()
        threading.Thread(target=_stay, args=[session, over], name="countersign-claim", daemon=True).start()
        try:
            yield True
        finally:
            over.set()


def _stay(session: psycopg.Connection[Any], over: threading.Event) -> None:
    while not over.wait(EVERY_SECONDS):
        try:
            session.execute("SELECT 1")
        except psycopg.Error:
            if not over.is_set():
                logger.warning("A claim on a request was lost; it is settled by whoever takes it up next.")
            return


def _parameters() -> dict[str, Any]:
    parameters = dict(connection.get_connection_params())
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    options = f"{parameters.pop('options', '')} -c idle_session_timeout={SILENT_MS}".strip()
    return {**parameters, "options": options, "application_name": NAME}
