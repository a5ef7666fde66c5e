"""The embedded services: started, shared, stopped, and brought back from whatever an earlier start left behind.

Each test has an installation of its own (`var`); `join` starts a process that uses it, as a command would.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import services
from config.embedded import folders, processes
from tests.fixtures.folders import reachable_folder
from tests.fixtures.ground import REPOSITORY
from tests.fixtures.servers import free_port

# The user is changed after the imports: Python itself may live where that user cannot go.
USE = """
import encodings.idna, json, os, sys
from config import services
if os.environ.get("BECOME"):
    os.setgroups([])
    os.setgid(int(os.environ["BECOME"]))
    os.setuid(int(os.environ["BECOME"]))
services.ensure()
print(json.dumps([os.environ["DATABASE_URL"], os.environ["REDIS_URL"], os.environ.get("COUNTERSIGN_EMBEDDED")]), flush=True)
sys.stdin.read()
"""


@dataclass
class User:
    """A process that uses the services until its standard input closes."""

    process: subprocess.Popen[str]
    database: str
    redis: str
    embedded: str | None

    def leave(self) -> str:
        """Ends it in good order; what it said on standard error."""
        return self.process.communicate(timeout=30)[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


Join = Callable[..., User]


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        yield made


@pytest.fixture
def var(folder: Path) -> Iterator[Path]:
    directory = folder / "var"
    directory.mkdir()
    yield directory
    processes.end(servers_of(directory), signal.SIGKILL, seconds=5)


@pytest.fixture
def join(var: Path) -> Iterator[Join]:
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(using(var, **changes))


@contextmanager
def using(var: Path, **changes: str) -> Iterator[User]:
    process = start(var, **changes)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"ended at once: {process.communicate()[1]}")
    try:
        yield User(process, *json.loads(line))
    finally:
        process.kill()
        process.communicate()


def start(var: Path, **changes: str) -> subprocess.Popen[str]:
    # Ports far from a demo's on the same machine; each test starts looking somewhere else.
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "COUNTERSIGN_VAR": str(var), "PYTHONPATH": str(REPOSITORY)}
    environment |= {"COUNTERSIGN_PG_PORT": str(port), "COUNTERSIGN_REDIS_PORT": str(port + 1), **changes}
    return subprocess.Popen(
        [sys.executable, "-c", USE],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def servers_of(var: Path) -> list[psutil.Process]:
    found = processes.belonging_to(var / "postgres" / "data", "postgres")
    return found + processes.belonging_to(var / "redis", "redis-server")


def postmaster(var: Path) -> psutil.Process:
    return psutil.Process(int((var / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0]))


def kill_servers(var: Path) -> None:
    """As the machine's memory guard would: the servers themselves, at once, with no chance to tidy up."""
    heads = [postmaster(var), *processes.belonging_to(var / "redis", "redis-server")]
    processes.end(heads, signal.SIGKILL, seconds=5)


def execute(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as session:
        cursor = session.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None


# --- Starting, sharing, stopping -----------------------------------------------------------------------------------


def test_without_settings_both_servers_answer(join: Join) -> None:
    user = join()
    assert execute(user.database, "SELECT current_user, current_setting('server_version_num')::int / 10000") == (
        "countersign",
        18,
    )
    with redis.Redis.from_url(user.redis) as client:
        assert client.ping()


def test_nothing_is_left_running_after_the_only_user_leaves(join: Join, var: Path) -> None:
    user = join()
    assert servers_of(var)
    user.leave()
    assert not servers_of(var)


def test_a_second_user_shares_the_servers_and_the_last_one_stops_them(join: Join, var: Path) -> None:
    first, second = join(), join()
    assert (first.database, first.redis) == (second.database, second.redis)
    first.leave()
    assert execute(second.database, "SELECT 1") == (1,)
    second.leave()
    assert not servers_of(var)


def test_two_first_users_at_once_do_not_collide(var: Path) -> None:
    with using(var) as first, using(var) as second:
        assert first.database == second.database
    started = [start(var), start(var)]
    told = [json.loads(process.stdout.readline()) for process in started if process.stdout]
    for process in started:
        process.communicate(timeout=30)
    assert told[0] == told[1]


def test_a_terminated_user_leaves_in_good_order(join: Join, var: Path) -> None:
    user = join()
    user.process.terminate()
    user.process.communicate(timeout=30)
    assert not servers_of(var)


def test_data_survives_a_stop(join: Join) -> None:
    user = join()
    execute(user.database, "CREATE TABLE kept AS SELECT 42 AS n")
    user.leave()
    assert execute(join().database, "SELECT n FROM kept") == (42,)


def test_two_installations_run_side_by_side(folder: Path) -> None:
    one, other = folder / "one", folder / "other"
    port = str(free_port())
    with (
        using(one, COUNTERSIGN_PG_PORT=port, COUNTERSIGN_REDIS_PORT=port) as first,
        using(other, COUNTERSIGN_PG_PORT=port, COUNTERSIGN_REDIS_PORT=port) as second,
    ):
        assert execute(first.database, "SELECT 1") == execute(second.database, "SELECT 1") == (1,)
        assert first.database != second.database
        first.leave()
        second.leave()
    assert not servers_of(one)
    assert not servers_of(other)


def test_a_taken_port_is_passed_over_and_the_new_one_is_told(join: Join) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        user = join(COUNTERSIGN_PG_PORT=str(port))
        assert f":{port}/" not in user.database
        assert execute(user.database, "SELECT 1") == (1,)
        assert "PostgreSQL of this folder: 127.0.0.1:" in user.leave()


# --- Whose servers -------------------------------------------------------------------------------------------------


def test_the_operators_own_servers_are_left_alone(join: Join, var: Path) -> None:
    user = join(DATABASE_URL="postgresql://own.example/db", REDIS_URL="redis://own.example")
    assert (user.database, user.redis, user.embedded) == ("postgresql://own.example/db", "redis://own.example", None)
    assert not servers_of(var)


def test_an_own_database_gets_an_embedded_redis_only(join: Join, var: Path) -> None:
    user = join(DATABASE_URL="postgresql://own.example/db")
    assert user.database == "postgresql://own.example/db"
    assert [process.name() for process in servers_of(var)] == ["redis-server"]
    assert user.embedded is None


def test_an_own_redis_gets_an_embedded_database_only(join: Join, var: Path) -> None:
    user = join(REDIS_URL="redis://own.example")
    assert user.redis == "redis://own.example"
    assert not (var / "redis").exists()
    assert user.embedded == "true"


@pytest.mark.parametrize(
    ("arguments", "nothing"),
    [
        ([], True),
        (["help", "migrate"], True),
        (["makemigrations", "--check"], True),
        (["check"], True),
        (["ledger", "verify", "--help"], True),
        (["demo", "--reset"], True),
        (["migrate", "--version"], True),
        (["policy", "show", "--version", "3"], False),
        (["demo"], False),
        (["ledger", "verify"], False),
        (["migrate"], False),
        (["check", "--database", "default"], False),
    ],
)
def test_only_commands_that_read_data_start_anything(arguments: list[str], nothing: bool) -> None:
    assert services._needs_nothing(arguments) is nothing


# --- Who may get in ------------------------------------------------------------------------------------------------


def test_postgresql_takes_nobody_without_the_password(join: Join) -> None:
    user = join()
    address = user.database.rpartition("@")[2]
    for role in ("countersign", "postgres"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://{role}:wrong@{address}")


def test_redis_takes_nobody_without_the_password(join: Join) -> None:
    user = join()
    port = int(user.redis.rpartition(":")[2].partition("/")[0])
    with redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_passwords_are_readable_by_their_owner_only(join: Join, var: Path) -> None:
    join()
    files = [*(var / "secrets").iterdir(), var / "run" / "services.json", var / "redis" / "redis.conf"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((var / "secrets").stat().st_mode) == 0o700


def test_the_products_role_is_no_superuser(join: Join) -> None:
    assert execute(
        join().database, "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = user"
    ) == (False,)


# --- Recovery ------------------------------------------------------------------------------------------------------


def test_killed_servers_come_back_with_what_was_committed(join: Join, var: Path) -> None:
    user = join()
    execute(user.database, "CREATE TABLE kept AS SELECT 42 AS n")
    kill_servers(var)
    user.kill()
    again = join()
    assert execute(again.database, "SELECT n FROM kept") == (42,)
    again.leave()
    assert not servers_of(var)


def test_servers_that_outlived_a_killed_user_are_found_and_stopped_by_the_next(join: Join, var: Path) -> None:
    first = join()
    first.kill()
    running = postmaster(var).pid
    second = join()
    assert postmaster(var).pid == running
    second.leave()
    assert not servers_of(var)


def test_a_session_that_outlived_its_killed_server_does_not_block_the_next_start(join: Join, var: Path) -> None:
    user = join()
    with psycopg.connect(user.database, autocommit=True) as session:
        session.execute("SET statement_timeout = 0")
        backend = psutil.Process(session.info.backend_pid)
        # Stopped, it cannot notice that its server is gone: it keeps the shared memory.
        backend.send_signal(signal.SIGSTOP)
        kill_servers(var)
    user.kill()
    assert execute(join().database, "SELECT 1") == (1,)
    assert not processes.alive(backend)


@pytest.mark.parametrize(
    "content", ["", "12", "not a number\n", "{me}\n/elsewhere\n1\n5432\n/tmp\nlocalhost\n1 2\nready\n"]
)
def test_a_stale_or_half_written_pid_file_is_no_obstacle(join: Join, var: Path, content: str) -> None:
    join().leave()
    # The last one names a live process that is something else: ids are reused after a restart of the machine.
    (var / "postgres" / "data" / "postmaster.pid").write_text(content.format(me=os.getpid()))
    assert execute(join().database, "SELECT 1") == (1,)


@pytest.mark.parametrize(
    "content", ["", "{", '{"users": 3}', '{"postgres_port": 1, "redis_port": 1, "users": [[1, 2.0]]}']
)
def test_a_damaged_memory_of_ports_and_users_is_no_obstacle(join: Join, var: Path, content: str) -> None:
    join().leave()
    (var / "run" / "services.json").write_text(content)
    user = join()
    assert execute(user.database, "SELECT 1") == (1,)
    user.leave()
    assert not servers_of(var)


def test_a_first_start_that_was_killed_half_way_is_done_again(join: Join, var: Path) -> None:
    broken_off = start(var)
    deadline = time.monotonic() + 30
    while not list(var.glob("postgres/new-*/data/base")) and time.monotonic() < deadline:
        time.sleep(0.005)
    for process in psutil.Process(broken_off.pid).children(recursive=True):
        process.kill()
    broken_off.kill()
    broken_off.communicate()
    assert not (var / "postgres" / "data").exists()
    assert execute(join().database, "SELECT 1") == (1,)
    assert not list(var.glob("postgres/new-*"))


def test_a_redis_file_cut_short_loses_only_its_end(join: Join, var: Path) -> None:
    user = join()
    with redis.Redis.from_url(user.redis) as client:
        client.set("kept", "yes")
        client.set("lost", "perhaps")
    user.leave()
    with (var / "redis" / "appendonly.aof").open("r+b") as data:
        data.truncate((var / "redis" / "appendonly.aof").stat().st_size - 5)
    with redis.Redis.from_url(join().redis) as client:
        assert client.get("kept") == b"yes"


def test_a_redis_file_that_cannot_be_read_is_put_aside(join: Join, var: Path) -> None:
    join().leave()
    (var / "redis" / "appendonly.aof").write_text("this is not a log\n" * 10)
    with redis.Redis.from_url(join().redis) as client:
        assert client.ping()
    assert list((var / "redis").glob("appendonly.unreadable-*"))


def test_a_lost_password_is_told_and_nothing_is_deleted(join: Join, var: Path) -> None:
    join().leave()
    (var / "secrets" / "postgres-password").unlink()
    process = start(var)
    _, told = process.communicate(timeout=30)
    assert "refuses the password" in told
    assert (var / "postgres" / "data" / "PG_VERSION").exists()


# --- Users of the machine ------------------------------------------------------------------------------------------


def test_an_ordinary_user_runs_the_servers_as_itself(var: Path) -> None:
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(var, user, -1)
    with using(var, BECOME=str(user) if os.geteuid() == 0 else "") as used:
        assert execute(used.database, "SELECT 1") == (1,)
        assert {process.uids().effective for process in servers_of(var)} == {user}
        used.leave()
        assert not servers_of(var)


def test_nobody_may_enter_the_data_but_the_servers_user(join: Join, var: Path) -> None:
    join()
    account = folders.service_account()
    owner = account.uid if account else os.geteuid()
    for path in (var / "postgres", var / "postgres" / "data", var / "redis"):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (owner, 0o700)


def test_a_directory_that_may_not_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    _, told = start(occupied).communicate(timeout=30)
    assert "set COUNTERSIGN_VAR to a directory of your own" in told
