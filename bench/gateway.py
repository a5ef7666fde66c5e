"""Statements over REST beside the same through psycopg: `python -m bench.gateway`.

The same small read, by the same number of callers, over HTTP through the whole pipeline (two durable ledger entries and the
query's row each) and directly.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable

from bench.ground import Shop, governed_shop, scratch_database, web_process
from bench.measuring import measure

CALLERS = (1, 8)
READ = "SELECT id, email, city FROM customers WHERE id = $1"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seconds", type=float, default=3.0, help="length of one round (default: 3)")
    options = arguments.parse_args()
    with scratch_database() as url, governed_shop(url) as shop, web_process() as web:
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


if __name__ == "__main__":
    os.environ.setdefault("COUNTERSIGN_LOG_LEVEL", "ERROR")
    main()
