"""What understanding and masking cost: `python -m bench.masking`.

Decisions: analysis, policy and rewriting of a text that is new, and of one that was seen, beside `pglast.parse_sql` alone on
the same text, in turns, by the time of the processor. New means that no text like it was kept; what depends on the catalogue
and the policies alone is kept, as it is in use.

Reads: a masked read through the whole pipeline (two durable ledger entries, the kept and sealed result) beside the same
rewritten SQL through psycopg, in turns.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.ground import Shop, governed_shop, scratch_database

LONG = (
    "WITH "
    + ",\n".join(
        f"m{k} AS (\n  SELECT date_trunc('month', o.placed_at) AS month, c.city, count(*) AS n, sum(o.total) AS total\n"
        f"  FROM orders o JOIN customers c ON c.id = o.customer_id\n  WHERE o.total BETWEEN {k} AND {{n}}"
        f" AND c.city <> 'x{k}'\n  GROUP BY 1, 2 HAVING count(*) > {k})"
        for k in range(10)
    )
    + "\nSELECT "
    + ", ".join(f"m{k}.total AS t{k}" for k in range(10))
    + "\nFROM m0 "
    + "\n".join(f"LEFT JOIN m{k} USING (month, city)" for k in range(1, 10))
    + "\nORDER BY 1 LIMIT 50"
)
STATEMENTS = {
    "by key": "SELECT id, email, city FROM customers WHERE id = {n}",
    "join": "SELECT c.city, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id"
    " WHERE o.total > {n} GROUP BY c.city ORDER BY 2 DESC LIMIT 10",
    "15 lines": "WITH "
    + ",\n".join(
        f"s{k} AS (SELECT id, name, email FROM customers WHERE id > {k} AND city = 'City {k}')" for k in range(12)
    )
    + "\nSELECT * FROM "
    + " JOIN ".join(f"s{k}" if k == 0 else f"s{k} USING (id)" for k in range(12))
    + "\nWHERE s0.id > {n}",
    "60 lines": LONG,
}
READ = "SELECT c.id, c.name, c.email, c.city FROM customers c CROSS JOIN generate_series(1, 10) LIMIT {rows}"
ROWS = (1_000, 100_000)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--times", type=int, default=300, help="how often each text is timed (default: 300)")
    options = arguments.parse_args()
    with scratch_database() as url, governed_shop(url) as shop:
        decisions(options.times)
        reads(shop)


def decisions(times: int) -> None:
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
        numbers = itertools.count(1)

        def new(template: str = template, numbers: Any = numbers) -> object:
            return assess(datasource, template.format(n=next(numbers)), asking)

        def alone(template: str = template, numbers: Any = numbers) -> object:
            return parse_sql(template.format(n=next(numbers)))

        def seen(template: str = template) -> object:
            return assess(datasource, template.format(n=0), asking)

        new(), seen()
        parse_us, new_us, seen_us = in_turns((alone, new, seen), times, time.thread_time)
        print(
            f"{name:>10} {parse_us * 1e6:>9,.0f} {new_us * 1e6:>9,.0f} {new_us / parse_us:>6.1f} {seen_us * 1e6:>9,.0f}"
        )
    forget()


def reads(shop: Shop) -> None:
    import psycopg

    from gateway.pipeline import submit
    from gateway.submission import Submission
    from governance.assessment import Asking, assess
    from governance.models import DataSource
    from identity.credentials import authenticate

    DataSource.objects.update(max_rows=1_000_000, max_bytes=1_000_000_000)
    datasource = DataSource.objects.get(name="shop")
    principal = authenticate(shop.token)
    print("\nMasked reads: through the whole pipeline beside the rewritten SQL through psycopg")
    print(f"{'rows':>9} {'gateway ms':>11} {'direct ms':>10} {'ratio':>6} {'added ms':>9}")
    with psycopg.connect(shop.dsn, autocommit=True) as session:
        for rows in ROWS:
            sql = READ.format(rows=rows)
            (rewritten,) = assess(datasource, sql, Asking(principal, "rest")).texts

            def direct(rewritten: str = rewritten) -> object:
                return session.execute(rewritten.encode()).fetchall()

            def ours(sql: str = sql) -> object:
                return submit(Submission(principal=principal, door="rest", datasource="shop", sql=sql))

            direct_s, ours_s = in_turns((direct, ours), 25 if rows < 10_000 else 9, time.perf_counter)
            print(
                f"{rows:>9,} {ours_s * 1e3:>11,.1f} {direct_s * 1e3:>10,.1f} {direct_s / ours_s:>6.2f}"
                f" {(ours_s - direct_s) * 1e3:>9,.1f}"
            )


def in_turns(calls: tuple[Callable[[], object], ...], times: int, clock: Callable[[], float]) -> tuple[float, ...]:
    """The median of each call in seconds: one after the other, so that what disturbs one disturbs all."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(times):
        for call, mine in zip(calls, taken, strict=True):
            start = clock()
            call()
            mine.append(clock() - start)
    return tuple(statistics.median(mine) for mine in taken)


if __name__ == "__main__":
    os.environ.setdefault("COUNTERSIGN_LOG_LEVEL", "ERROR")
    main()
