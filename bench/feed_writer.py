"""Appends at a steady rate: `python -m bench.feed_writer PER_SECOND COUNT`."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

CALLERS = 16


def main(per_second: int, count: int) -> None:
    from audit import ledger

    begin = time.monotonic()

    def append(number: int) -> None:
        # By the clock of the run and not of the last entry, so that a pause is made up for.
        time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
        ledger.append(
            "statement.outcome", query=f"00000000-0000-7000-8000-{number:012}", principal="agent:analyst-bot",
            datasource="shop", verdict="allow", status="executed", rows=12, duration_ms=3,
            fingerprint=f"{number % 40:016x}", read=["public.orders", "public.customers"],
            sql_normal="SELECT id, status, total FROM orders WHERE customer_id = $1 ORDER BY id LIMIT 20",
        )  # fmt: skip

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(append, range(count)))


if __name__ == "__main__":
    import django

    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))
