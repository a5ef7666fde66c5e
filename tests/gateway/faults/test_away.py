"""A database goes away in the middle of an execution: the control database, or the governed one (P4)."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from approvals.states import State
from gateway import execution
from gateway.drivers import DRIVERS
from governance import assessment
from tests.audit.faults.cluster import Cluster, cluster
from tests.factories import Cast, make_cast
from tests.fixtures.databases import TargetDatabase, control_url
from tests.fixtures.servers import Server, _worker
from tests.gateway.faults.conftest import (
    TABLES,
    ask,
    at_the_commit,
    attempts,
    eventually,
    runs,
    settled,
    states,
    waits_for,
    while_it_runs,
)  # fmt: skip
from tests.gateway.faults.gate import Gate
from tests.story.conftest import Cable


@pytest.fixture(scope="module")
def cable(server_environment: dict[str, str]) -> Iterator[Cable]:
    cable = Cable(control_url())
    yield cable
    cable.pull()


@pytest.fixture(scope="module")
def wired(server_environment: dict[str, str], cable: Cable) -> Iterator[Server]:
    """A worker that reaches its control database by a cable."""
    with _worker({**server_environment, "DATABASE_URL": cable.url}) as server:
        yield server


@pytest.mark.usefixtures("wired")
def test_p4_a_control_database_that_goes_away_leaves_the_true_state(
    cast: Cast, shop: TargetDatabase, cable: Cable
) -> None:
    """Every session of the worker breaks at once, as when the server is started again."""
    asked = ask(cast)
    with while_it_runs(cast, asked, shop):
        cable.pull()
    eventually(lambda: not waits_for(shop.admin, "relation = 'runs'::regclass"), "the end of the statement")
    cable.plug()
    eventually(lambda: settled(asked), "the recovery")
    assert runs(shop) == 1
    assert attempts(asked) == ["started", "not_executed", "started", "executed"]


@pytest.mark.usefixtures("wired")
def test_p4_a_control_database_that_goes_away_after_the_commit_leaves_the_true_state(
    cast: Cast, shop: TargetDatabase, gate: Gate, cable: Cable
) -> None:
    asked = ask(cast)
    with at_the_commit(cast, asked, gate, "answer"):
        cable.pull()
    cable.plug()
    eventually(lambda: settled(asked), "the recovery")
    assert runs(shop) == 1
    assert attempts(asked) == ["started", "executed"]


# --- The governed database ----------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Cluster]:
    with cluster() as made:
        with psycopg.connect(made.url(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA public TO app; SET ROLE app; {TABLES}")
        yield made


def counted(server: Cluster) -> int:
    with psycopg.connect(server.url()) as session:
        row = session.execute("SELECT count(*) FROM runs").fetchone()
    return int(row[0]) if row else -1


@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize(("moment", "told"), [
    ("commit", ["started", "not_executed", "started", "executed"]),
    ("answer", ["started", "executed"]),
])  # fmt: skip
def test_p4_a_governed_database_that_crashes_at_the_commit_leaves_the_true_state(
    control_db: str, server: Cluster, moment: str, told: list[str]
) -> None:
    gate = Gate(server.url().replace("postgres@", "app@"))
    assessment.forget()
    cast = make_cast(gate.url, classes={})
    asked = ask(cast)
    with at_the_commit(cast, asked, gate, moment):
        server.stop()
        # While it is away nobody claims to know.
        assert states(asked)[0] == State.EXECUTING
        server.start()
    eventually(lambda: settled(asked), "the recovery")
    assert counted(server) == 1
    assert attempts(asked) == told
    assert execution.execute_request(asked.pk) == State.EXECUTED
    gate.close()
    for driver in DRIVERS.values():
        driver.close()
