"""The inbox with 1,000 requests that wait, and 20,000 that ended, beside one with 10: `python -m bench.inbox`.

The pages are asked for whole, as a browser would, by a reviewer for whom all of them wait; templates are rendered and the
session is looked up. In between, requests are rejected from their pages. The median counts, and the ratio to the small inbox's.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from bench.ground import scratch_database

SMALL, LARGE, ENDED = 10, 1_000, 20_000
ROUNDS, REJECTED = 15, 7
MOST_RATIO = 3.0
HOST = "127.0.0.1"
TABLES = ("orders", "customers", "invoices", "order_items", "shipments")
COLUMNS = [{"schema": "public", "relation": "orders", "column": f"column_{n}", "clauses": ["write"]} for n in range(12)]


def main() -> None:
    with scratch_database() as _:
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        ground = _Ground()
        ground.fill(SMALL, ended=0)
        small = measured(ground)
        ground.fill(LARGE - SMALL + REJECTED, ended=ENDED)
        large = measured(ground)
    names = (f"{SMALL} waiting", f"{LARGE:,} waiting, {ENDED:,} ended")
    print(f"{'page':<44} {names[0]:>14} {names[1]:>30}    ratio")
    for name, before in small.items():
        ratio = large[name] / before
        note = "" if ratio <= MOST_RATIO else f"   more than {MOST_RATIO:g}"
        print(f"{name:<44} {before:>11.2f} ms {large[name]:>27.2f} ms {ratio:>8.2f}{note}")


# --- What is there ------------------------------------------------------------------------------------------------


class _Ground:
    """A reviewer, an agent, a data source that nobody connects to, and the reviewer's signed-in browser."""

    def __init__(self) -> None:
        from django.test import Client

        from governance.models import DataSource
        from governance.policy import store
        from identity.agents import add_agent
        from identity.people import add_user

        store.ensure_default(actor="bench")
        self.owner = add_user("olga", "a long enough pass phrase", [], actor="bench")
        self.reviewer = add_user("rita", "a long enough pass phrase", ["dba"], actor="bench")
        self.agent = add_agent("bot", self.owner, ["agents"], actor="bench")
        self.sources = [
            DataSource.objects.create(name=f"shop-{n}", engine="postgres", environment="prod", dsn="host=nowhere")
            for n in range(3)
        ]
        self.browser = Client(SERVER_NAME=HOST)
        self.browser.force_login(self.reviewer)
        self.random = random.Random(5)

    def fill(self, waiting: int, *, ended: int) -> None:
        from django.db import connection

        from approvals.models import Request

        states = ["pending"] * waiting + [self.random.choice(("executed", "rejected", "expired")) for _ in range(ended)]
        requests = [self._request(state) for state in states]
        Request.objects.bulk_create(requests, batch_size=1_000)
        # `created_at` is now for all of them, unless it is spread afterwards.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE approvals_request SET created_at = now() - random() * interval '90 days'")
            cursor.execute("VACUUM ANALYZE approvals_request")

    def _request(self, state: str) -> Any:
        from django.utils import timezone

        from approvals.models import Request

        table = self.random.choice(TABLES)
        normal = f"UPDATE {table} SET status = ?, column_{self.random.randrange(90)} = ? WHERE region = ?"
        relation = {"schema": "public", "name": table, "use": "update"}
        return Request(
            datasource=self.random.choice(self.sources),
            requester="agent:bot",
            agent=self.agent,
            owner=self.owner,
            sql=normal.replace("?", "'x'"),
            params=[],
            normal=normal,
            digest=f"{self.random.getrandbits(256):064x}",
            purpose=f"ticket {self.random.randrange(10_000)}",
            on_behalf_of="somebody@example.com",
            risk=self.random.randrange(100),
            facts={"kinds": ["write"], "normal": normal, "relations": [relation], "columns": COLUMNS, "hazards": []},
            decision={"verdict": "review", "masks": [], "policies": ["mass-write"], "row_filters": []},
            required=[{"group": "dba", "quorum": 1, "stage": 1, "escalate_to": "", "escalate_after": 0}],
            state=state,
            expires_at=timezone.now() + timedelta(seconds=self.random.randrange(3_600, 90_000)),
        )


# --- What is asked ------------------------------------------------------------------------------------------------


def measured(ground: _Ground) -> dict[str, float]:
    pages = {
        "for you": "/requests/?show=mine",
        "for you, highest risk": "/requests/?show=mine&sort=risk",
        "for you, filtered": "/requests/?show=mine&datasource=shop-1&risk_min=30&text=orders",
        "all, newest": "/requests/?show=all",
        "all, one data source and text": "/requests/?show=all&datasource=shop-1&text=orders",
        "dashboard's waiting card": "/",
    }
    times = {name: _median(partial(_get, ground, path)) for name, path in pages.items()}
    deep = _deepest(ground)
    times["for you, last page"] = _median(lambda: _get(ground, deep))
    times["an open page asks again, nothing new"] = _median(_asking_again(ground))
    times["decided: one rejected from its page"] = _median(_rejecting(ground), REJECTED)
    return times


def _get(ground: _Ground, path: str) -> str:
    response = ground.browser.get(path)
    assert response.status_code in (200, 204), response.status_code  # noqa: S101
    return str(response.text)


def _deepest(ground: _Ground) -> str:
    path = "/requests/?show=mine"
    while 'rel="next" href="' in (text := _get(ground, path)):
        path = "/requests/" + text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    return path


def _asking_again(ground: _Ground) -> Callable[[], object]:
    from urllib.parse import urlencode

    text = _get(ground, "/requests/?show=mine")
    rows = [part.partition('"')[0] for part in text.split('name="row" value="')[1:]]
    path = "/requests/live/" + text.partition('hx-get="/requests/live/')[2].partition('"')[0].replace("&amp;", "&")
    return lambda: _get(ground, f"{path}&{urlencode({'row': rows}, doseq=True)}")


def _rejecting(ground: _Ground) -> Callable[[], object]:
    from approvals.models import Request

    waiting = iter(list(Request.objects.filter(state="pending").values_list("pk", flat=True)[:REJECTED]))

    def reject() -> None:
        path = f"/requests/{next(waiting)}/review/"
        answer = ground.browser.post(path, {"verdict": "reject", "comment": "no", "revision": 1})
        assert answer.status_code == 302, answer.status_code  # noqa: S101

    return reject


def _median(ask: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The first is left out: it compiles templates and fills caches."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken[1:])


if __name__ == "__main__":
    main()
