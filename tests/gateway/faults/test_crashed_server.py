"""The governed server crashes between the durable transaction id and COMMIT: nobody else's COMMIT is taken for ours (P4)."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from gateway.drivers import postgres
from gateway.drivers.base import Ending, Fate, Limits, Source, Step, Work
from gateway.drivers.postgres import PostgresDriver
from tests.audit.faults.cluster import Cluster, cluster

LIMITS = Limits(max_rows=10, max_bytes=10_000, statement_timeout_ms=5000, lock_timeout_ms=1000)
TABLES = """
CREATE TABLE rows (n integer); INSERT INTO rows SELECT generate_series(1, 10);
CREATE ROLE app LOGIN; GRANT ALL ON rows TO app;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        with psycopg.connect(made.url(), autocommit=True) as admin:
            admin.execute(TABLES)
        yield made


class Crashed(Exception):
    pass


@pytest.mark.parametrize("release", [180_000, 160_000], ids=["flushes messages", "older"])
def test_p4_an_id_that_a_crash_forgot_is_not_taken_for_another_s(
    server: Cluster, monkeypatch: pytest.MonkeyPatch, release: int
) -> None:
    """A server gives an id out again that it has not written to its log: then others commit under it."""
    if release < postgres.FLUSHES_MESSAGES:
        monkeypatch.setattr(postgres, "FLUSHES_MESSAGES", 10**9)
    driver = PostgresDriver()
    source = Source("key", "rows", server.url().replace("postgres@", "app@"), ("public",), 2)
    seen: list[str] = []

    def crash(ending: Ending) -> None:
        seen.append(ending.transaction_id)
        server.restart()
        raise Crashed

    nothing = lambda *_: None  # noqa: E731
    work = Work(
        (Step("DELETE FROM rows"),), (), LIMITS, False, nothing, nothing, nothing, before_commit=crash, isolated=True
    )
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CHECKPOINT")
    with pytest.raises(Crashed):
        driver.run(source, work)
    with psycopg.connect(server.url(), autocommit=True) as others:
        for _ in range(5):
            others.execute("INSERT INTO rows VALUES (1)")
        before = others.execute("SELECT count(*) FROM rows WHERE n > 1").fetchone()
    assert before == (9,)
    assert driver.fate_of(source, seen[0]) is Fate.ABORTED
    driver.close()
