"""Statements through the gateway beside the same through psycopg, and what a decision costs: `python -m bench.gateway`.

REST: the same small read, by the same number of callers, over HTTP through the whole pipeline (two durable ledger entries
and the query's row each) and directly. Decisions: analysis, policy and rewriting of a text that is new, and of one that was
seen, beside `pglast.parse_sql` alone on the same text.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.ground import Shop, governed_shop, scratch_database, web_process
from bench.measuring import measure

CALLERS = (1, 8)
READ = "SELECT id, email, city FROM customers WHERE id = $1"
STATEMENTS = {
    "by key": "SELECT id, email, city FROM customers WHERE id = {n}",
    "join": "SELECT c.city, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id"
    " WHERE o.total > {n} GROUP BY c.city ORDER BY 2 DESC LIMIT 10",
    "30 lines": "WITH "
    + ", ".join(
        f"s{k} AS (SELECT id, name, email FROM customers WHERE id > {k} AND city = 'City {k}')" for k in range(12)
    )
    + " SELECT * FROM "
    + " JOIN ".join(f"s{k}" if k == 0 else f"s{k} USING (id)" for k in range(12))
    + " WHERE s0.id > {n}",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seconds", type=float, default=3.0, help="length of one round (default: 3)")
    options = arguments.parse_args()
    with scratch_database() as url, governed_shop(url) as shop:
        decisions()
        with web_process() as web:
            rest(web, shop, options.seconds)


def rest(web: str, shop: Shop, seconds: float) -> None:
    print("\nREST, a small masked read")
    print(f"{'callers':>8} {'gateway/s':>10} {'p50 ms':>7} {'p99 ms':>7}   {'psycopg/s':>10} {'p50 ms':>7}   added ms")
    for callers in CALLERS:
        direct = measure(callers, seconds, lambda number: _direct(shop, number))
        ours = measure(callers, seconds, lambda number: _over_rest(web, shop, number))
        print(
            f"{callers:>8} {ours.per_second:>10,.0f} {ours.p50_ms:>7.2f} {ours.p99_ms:>7.2f}"
            f"   {direct.per_second:>10,.0f} {direct.p50_ms:>7.2f}   {ours.p50_ms - direct.p50_ms:.2f}"
        )


def _over_rest(web: str, shop: Shop, number: int) -> Callable[[], object]:
    import httpx

    client = httpx.Client(headers={"Authorization": f"Bearer {shop.token}"}, timeout=30)
    ids = itertools.count(number * 1000 + 1)

    def call() -> object:
        body = {"datasource": "shop", "sql": READ, "params": [next(ids) % 30_000 + 1]}
        response = client.post(f"{web}/api/v1/queries", json=body)
        response.raise_for_status()
        return response

    return call


def _direct(shop: Shop, number: int) -> Callable[[], object]:
    import psycopg

    session = psycopg.connect(shop.dsn, autocommit=True, cursor_factory=psycopg.RawCursor)
    ids = itertools.count(number * 1000 + 1)
    return lambda: session.execute(READ, [next(ids) % 30_000 + 1]).fetchall()


def decisions() -> None:
    from pglast import parse_sql

    from governance.assessment import Asking, assess, forget
    from governance.models import DataSource
    from identity.models import Agent
    from identity.principals import principal_of_agent

    datasource = DataSource.objects.get(name="shop")
    asking = Asking(principal_of_agent(Agent.objects.get(name="bench-bot")), "rest")
    print("Analysis, decision and rewriting")
    print(f"{'statement':>10} {'parse µs':>9} {'new µs':>9} {'ratio':>6} {'seen µs':>9}")
    for name, template in STATEMENTS.items():
        compare(name, template, parse_sql, lambda sql: assess(datasource, sql, asking))
    forget()


def compare(name: str, template: str, parse: Callable[[str], Any], decide: Callable[[str], Any]) -> None:
    """New: every text is another one. Seen: always the same."""
    numbers = itertools.count(1)
    decide(template.format(n=0))
    alone = median_us(lambda: parse(template.format(n=next(numbers))))
    new = median_us(lambda: decide(template.format(n=next(numbers))))
    seen = median_us(lambda: decide(template.format(n=0)))
    print(f"{name:>10} {alone:>9,.0f} {new:>9,.0f} {new / alone:>6.1f} {seen:>9,.0f}")


def median_us(call: Callable[[], Any], times: int = 300) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


if __name__ == "__main__":
    os.environ.setdefault("COUNTERSIGN_LOG_LEVEL", "ERROR")
    main()
