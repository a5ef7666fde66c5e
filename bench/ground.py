"""The ground that benchmarks stand on: a scratch control database, a governed shop and an agent, dropped at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("COUNTERSIGN_VAR", str(ROOT / "var" / "bench"))

ROWS = 30_000
SHOP = f"""
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL, city text NOT NULL);
CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers, total numeric(10,2), status text
);
INSERT INTO customers SELECT n, 'Person ' || n, 'person' || n || '@example.com', 'City ' || n % 50
    FROM generate_series(1, {ROWS}) n;
INSERT INTO orders SELECT n, 1 + n % {ROWS}, n * 1.5, 'open' FROM generate_series(1, {ROWS}) n;
ANALYZE;
"""


@dataclass(frozen=True)
class Shop:
    """`token` is an agent's; `dsn` leads to the governed database past the gateway."""

    dsn: str
    token: str


@contextmanager
def scratch_database(apps: tuple[str, ...] = ()) -> Iterator[str]:
    """A control database of its own, made before Django reads its settings; all apps are migrated unless some are named."""
    import psycopg

    from config import services

    own_server = bool(os.environ.get("DATABASE_URL"))
    services.ensure()
    server = os.environ["DATABASE_URL"] if own_server else services.superuser_url("postgres")
    name = f"bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
        try:
            os.environ["DATABASE_URL"] = f"{server.rpartition('/')[0]}/{name}"
            _migrate(apps)
            yield os.environ["DATABASE_URL"]
        finally:
            _close_everything()
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")
            os.environ["DATABASE_URL"] = server


def _migrate(apps: tuple[str, ...]) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    for app in apps or (None,):
        call_command("migrate", *([app] if app else []), verbosity=0, skip_checks=True)


def _close_everything() -> None:
    from django.db import connections

    from audit import ledger

    ledger.close()
    for connection in connections.all(initialized_only=True):
        connection.close()
        getattr(connection, "close_pool", lambda: None)()


@contextmanager
def governed_shop(control_url: str) -> Iterator[Shop]:
    import psycopg

    from gateway.drivers import DRIVERS
    from governance.classification import classify
    from governance.datasources import add_datasource
    from governance.policy import store
    from identity.agents import add_agent
    from identity.credentials import issue
    from identity.people import add_user

    name = f"bench_shop_{os.getpid()}"
    dsn = f"{control_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(control_url, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(dsn, autocommit=True) as shop:
                shop.execute(SHOP)
            store.ensure_default(actor="bench")
            datasource = add_datasource("shop", engine="postgres", dsn=dsn, environment="prod", actor="bench")
            for column, data_class in (("name", "person_name"), ("email", "email")):
                classify(datasource, f"public.customers.{column}", data_class, actor="bench")
            owner = add_user("owner", "a long enough pass phrase", actor="bench")
            agent = add_agent("bench-bot", owner, ["agents"], actor="bench")
            yield Shop(dsn, issue(agent, issued_by="bench").token)
        finally:
            for driver in DRIVERS.values():
                driver.close()
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def web_process() -> Iterator[str]:
    """The product's web process, as production runs it; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", f"--port={port}", "--no-access-log"]
    environment = {**os.environ, "COUNTERSIGN_PUBLIC_URL": url, "COUNTERSIGN_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([*command, "--log-level=error"], cwd=ROOT, env=environment)
    try:
        _wait(lambda: _answers(url), process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the web process did not start")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
