"""Durable ledger appends beside plain one-row INSERT commits: `python -m bench.ledger`.

Same server, same run, same number of callers, headers of the same size; what counts is the ratio. The plain table has
nothing but a key, a time, a kind and the header: no hash, no order, no head. Callers are threads, as in a web process, or
tasks of one event loop, as in a process that holds many sockets: like is compared with like, and with the faster of the
two plain ones. Rounds of all alternate, so that a busy machine meets all; the median round counts. What entries are
found by is written after the fact: how fast is measured at the end. Uses a scratch database of its own.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.ground import scratch_database
from bench.measuring import Measure, measure, measure_tasks

CALLERS = (64, 16, 1)
SQL = "SELECT customer_id, sum(total) FROM orders WHERE created_at > $1 AND region = $2 GROUP BY customer_id LIMIT $3"
PLAIN = "INSERT INTO plain_log (kind, header) VALUES ('statement.intent', %s)"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seconds", type=float, default=2.0, help="length of one round (default: 2)")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds of each (default: 3)")
    options = arguments.parse_args()
    with scratch_database(("audit",)) as url:
        make_plain_table()
        compare(url, options.seconds, options.rounds)


def make_plain_table() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE plain_log (index bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " time timestamptz NOT NULL DEFAULT now(), kind text NOT NULL, header bytea NOT NULL)"
        )


def compare(url: str, seconds: float, rounds: int) -> None:
    header = bytes(sample_header())
    print(f"header of {len(header)} bytes; {rounds} rounds of {seconds:g} s each; median round")
    print(
        f"{'callers':>16} {'ledger/s':>10} {'p50 ms':>7} {'p99 ms':>7}   {'plain/s':>10} {'p50 ms':>7} {'p99 ms':>7}   ratio"
    )
    for callers in CALLERS:
        found: dict[str, list[Measure]] = {name: [] for name in ("plain threads", "plain tasks", "threads", "tasks")}
        for _ in range(rounds):
            found["plain threads"].append(measure(callers, seconds, lambda _number: plain_insert(url, header)))
            found["threads"].append(measure(callers, seconds, ledger_append))
            found["plain tasks"].append(measure_tasks(callers, seconds, lambda _number: plain_insert_task(url, header)))
            found["tasks"].append(measure_tasks(callers, seconds, ledger_append_task))
        middles = {name: middle(measures) for name, measures in found.items()}
        for kind in ("threads", "tasks"):
            show(f"{callers} {kind}", middles[kind], middles[f"plain {kind}"])
    indexed()
    verified()


def show(name: str, ours: Measure, plain: Measure) -> None:
    print(
        f"{name:>16} {ours.per_second:>10,.0f} {ours.p50_ms:>7.2f} {ours.p99_ms:>7.2f}"
        f"   {plain.per_second:>10,.0f} {plain.p50_ms:>7.2f} {plain.p99_ms:>7.2f}"
        f"   {ours.per_second / plain.per_second:.2f} (p50 {ours.p50_ms / plain.p50_ms:.2f})"
    )


def sample_fields(number: int) -> dict[str, Any]:
    return {
        "principal": f"agent:bot-{number}",
        "owner": "ada",
        "door": "rest",
        "datasource": "shop",
        "environment": "prod",
        "verdict": "allow",
        "risk": 12,
        "query": "3f1c1f2e-8f0b-4f7e-9d6f-0c6f5b1f2a3d",
        "run": f"run-{number}",
        "fingerprint": "a0ead580058af585",
        "relations": ["public.orders"],
        "classes": ["email"],
        "sql_normal": SQL,
        "policies": ["agents-read-production-masked"],
        "digest": "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }


def sample_header() -> bytes:
    from audit import ledger
    from audit.models import Entry

    return bytes(Entry.objects.get(index=ledger.append("statement.intent", **sample_fields(0)).index).header)


def ledger_append(number: int) -> Callable[[], object]:
    from audit import ledger

    fields = sample_fields(number)
    return lambda: ledger.append("statement.intent", **fields)


async def ledger_append_task(number: int) -> Callable[[], Awaitable[object]]:
    from audit import ledger

    fields = sample_fields(number)
    return lambda: ledger.append_async("statement.intent", **fields)


async def plain_insert_task(url: str, header: bytes) -> Callable[[], Awaitable[object]]:
    import psycopg

    session = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
    return lambda: session.execute(PLAIN, (header,))


def plain_insert(url: str, header: bytes) -> Callable[[], object]:
    import psycopg

    session = psycopg.connect(url, autocommit=True, prepare_threshold=0)
    return lambda: session.execute(PLAIN, (header,))


def middle(rounds: list[Measure]) -> Measure:
    wanted = statistics.median_low([measure.per_second for measure in rounds])
    return next(measure for measure in rounds if measure.per_second == wanted)


def indexed() -> None:
    from audit.following import behind, catch_up

    waiting, start = behind(), time.perf_counter()
    while catch_up():
        pass
    print(f"{waiting:,} entries made searchable, {waiting / (time.perf_counter() - start):,.0f} per second")


def verified() -> None:
    from audit.verification.inspection import verify_ledger

    start = time.perf_counter()
    report = verify_ledger()
    if report.fault:
        raise SystemExit(f"the ledger does not verify: {report.fault}")
    rate = report.count / (time.perf_counter() - start)
    print(f"verified {report.count:,} entries, {rate:,.0f} per second; root {report.root}")


if __name__ == "__main__":
    main()
