"""`manage.py demo` as a person uses it: it comes up, tells how to get in, keeps what it had, and ends without a trace."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from config.demo.keep import MOST_DEATHS
from tests.fixtures.folders import reachable_folder
from tests.fixtures.ground import REPOSITORY
from tests.fixtures.servers import free_port

pytestmark = pytest.mark.timeout(300)


@dataclass
class Demo:
    process: subprocess.Popen[str]
    var: Path
    environment: dict[str, str]

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads((self.var / "demo.json").read_text()))

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A management command in the same folder, from another terminal."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def children(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if marked(process, self.var)]


def marked(process: psutil.Process, var: Path) -> bool:
    try:
        return process.environ().get("COUNTERSIGN_DEMO") == str(var) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def touching(var: Path) -> list[psutil.Process]:
    """Whatever runs for this folder: the demo's own processes and the servers."""
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if str(var) in " ".join(process.info["cmdline"] or ()) or marked(process, var)]


def environment_of(var: Path) -> dict[str, str]:
    port = free_port()
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ports = {"COUNTERSIGN_PG_PORT": port, "COUNTERSIGN_REDIS_PORT": port + 1, "COUNTERSIGN_WEB_PORT": port + 2}
    return {**keep, "COUNTERSIGN_VAR": str(var), **{name: str(number) for name, number in ports.items()}}


@contextmanager
def running(var: Path, *options: str) -> Iterator[Demo]:
    environment = environment_of(var)
    log = var.parent / "demo.log"
    with log.open("w") as output:
        command = [sys.executable, "manage.py", "demo", *options]
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        demo = Demo(process, var, environment)
        try:
            wait_until_ready(demo, log)
            yield demo
        finally:
            if process.poll() is None and demo.stop() is None:
                process.kill()


def wait_until_ready(demo: Demo, log: Path) -> None:
    deadline = time.monotonic() + 150
    while "Ctrl-C ends everything." not in log.read_text():
        if demo.process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(log.read_text())
        time.sleep(0.1)


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    with reachable_folder() as folder:
        directory = folder / "var"
        yield directory
        command = [sys.executable, "manage.py", "demo", "--reset"]
        subprocess.run(command, cwd=REPOSITORY, env=environment_of(directory), check=True)
        assert not touching(directory)
        assert list(directory.iterdir()) == []


@pytest.fixture(scope="module")
def demo(var: Path) -> Iterator[Demo]:
    with running(var, "--no-agent") as running_demo:
        yield running_demo


def ask(demo: Demo, statement: str) -> dict[str, Any]:
    told = demo.told
    request = urllib.request.Request(
        f"{told['web']}/api/v1/queries",
        json.dumps({"datasource": "shop", "sql": statement}).encode(),
        {"Authorization": f"Bearer {told['agents'][0]['token']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return dict(json.load(response))


# The tests of one running demo come first; those that end it follow.


def test_it_tells_what_the_contract_says(demo: Demo) -> None:
    told = demo.told
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", told["web"])
    assert [(user["name"], user["groups"]) for user in told["users"]] == [
        ("ada", []),
        ("rita", ["dba"]),
        ("dora", ["dba"]),
        ("olaf", ["auditors"]),
        ("root", []),
    ]
    assert [(agent["name"], agent["owner"]) for agent in told["agents"]] == [("analyst-bot", "ada"), ("ops-bot", "ada")]
    assert [(source["name"], source["engine"]) for source in told["datasources"]] == [("shop", "postgres")]
    assert all(user["password"] for user in told["users"])
    assert all(agent["token"] for agent in told["agents"])


def test_only_its_owner_can_read_what_it_tells(demo: Demo) -> None:
    assert stat.S_IMODE((demo.var / "demo.json").stat().st_mode) == 0o600


def test_an_agent_reads_customers_with_masks(demo: Demo) -> None:
    answer = ask(demo, "SELECT email FROM customers ORDER BY id LIMIT 5")
    with psycopg.connect(demo.told["datasources"][0]["dsn"]) as session:
        raw = {email for (email,) in session.execute("SELECT email FROM customers")}
    assert answer["columns"][0]["masked"] is True
    assert len(answer["rows"]) == 5
    assert not raw & {email for (email,) in answer["rows"]}


def test_the_view_over_customers_is_read_with_masks_too(demo: Demo) -> None:
    answer = ask(demo, "SELECT full_name, email, orders FROM customer_overview ORDER BY id LIMIT 1")
    assert [column["masked"] for column in answer["columns"]] == [True, True, False]


def test_a_command_in_the_same_folder_works_on_the_same_data(demo: Demo) -> None:
    index = ask(demo, "SELECT 1")["ledger"]["index"]
    verified = demo.manage("ledger", "verify")
    assert verified.returncode == 0, verified.stderr
    counted = re.search(r"(\d+) entries", verified.stdout)
    assert counted is not None
    assert int(counted.group(1)) > index


def test_the_gateways_role_reaches_the_shop_and_no_other_database(demo: Demo) -> None:
    dsn = demo.told["datasources"][0]["dsn"]
    for database in ("countersign", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(f"{dsn.rpartition('/')[0]}/{database}")


def test_the_gateways_role_is_nobody_special(demo: Demo) -> None:
    with psycopg.connect(demo.told["datasources"][0]["dsn"]) as session:
        rights = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
        assert session.execute(f"SELECT {rights} FROM pg_roles WHERE rolname = user".encode()).fetchone() == (False,)


def test_system_checks_have_nothing_to_say(demo: Demo) -> None:
    checked = demo.manage("check", "--database", "default")
    assert "no issues" in checked.stdout + checked.stderr


def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo) -> None:
    refused = demo.manage("demo")
    assert refused.returncode != 0
    assert f"already runs (process {demo.process.pid})" in refused.stderr


def test_a_second_start_keeps_everything(demo: Demo, var: Path) -> None:
    before, told = ask(demo, "SELECT 1")["ledger"]["index"], demo.told
    assert demo.stop(signal.SIGINT) == 0
    assert not touching(var)
    with running(var, "--no-agent") as again:
        assert [again.told[name] for name in ("users", "agents")] == [told[name] for name in ("users", "agents")]
        assert ask(again, "SELECT email FROM customers LIMIT 1")["ledger"]["index"] > before
        # Other ports than before: the data source moved with them.
        assert again.told["datasources"] != told["datasources"]


def test_terminating_it_ends_all_its_processes_within_ten_seconds(var: Path) -> None:
    with running(var) as demo:
        started = time.monotonic()
        assert demo.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10
        assert not touching(var)


def web_process(demo: Demo) -> psutil.Process | None:
    found = (process for process in demo.children() if "uvicorn" in process.cmdline())
    return next((process for process in found if "config.demo.keep" not in process.cmdline()), None)


def kill_web(demo: Demo) -> None:
    while (web := web_process(demo)) is None:
        time.sleep(0.05)
    web.kill()
    web.wait(10)


def test_a_process_that_dies_is_started_again(var: Path) -> None:
    with running(var, "--no-agent") as demo:
        kill_web(demo)
        deadline = time.monotonic() + 60
        while not answers(demo):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert demo.process.poll() is None


def answers(demo: Demo) -> bool:
    try:
        return bool(ask(demo, "SELECT 1")["status"] == "executed")
    except OSError:
        return False


def test_when_a_process_dies_too_often_all_end_and_it_counts_as_a_failure(var: Path) -> None:
    with running(var, "--no-agent") as demo:
        for _ in range(MOST_DEATHS):
            kill_web(demo)
        assert demo.process.wait(30) == 1
        assert not touching(var)


def test_what_a_killed_demo_left_running_is_ended_by_the_next(var: Path) -> None:
    with running(var, "--no-agent") as killed:
        killed.process.kill()
        killed.process.wait(10)
        leftovers = {process.pid for process in killed.children()}
        assert leftovers
        with running(var, "--no-agent") as again:
            assert not leftovers & {process.pid for process in again.children()}


def test_it_refuses_to_fill_an_operators_own_database(var: Path) -> None:
    environment = {
        **environment_of(var),
        "DATABASE_URL": "postgresql://own.example/db",
        "REDIS_URL": "redis://own.example",
    }
    environment |= {"COUNTERSIGN_SECRET_KEY": "s" * 40, "COUNTERSIGN_ENCRYPTION_KEYS": "e" * 40}
    command = [sys.executable, "manage.py", "demo"]
    refused = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "unset DATABASE_URL" in refused.stderr
