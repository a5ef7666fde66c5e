"""Two scripted agents that use the demo's gateway as real ones would: over REST, with their tokens, some of it wrong.

    python -m config.demo.agent var/demo.json

It waits for the file (the demo writes it once everything answers), asks something every few seconds, slows down when
the gateway refuses or is away, and never leaves more than `MOST_OPEN` requests waiting for people.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MOST_OPEN = 6
QUIET_SECONDS = (2.0, 5.0)
LONGEST_BACK_OFF = 60.0
END_STATES = {"executed", "failed", "denied", "rejected", "withdrawn", "expired", "drifted", "cancelled", "unknown"}


@dataclass(frozen=True)
class Ask:
    """One statement of a workflow. `parks`: people will have to decide, under the policies that ship."""

    sql: str
    params: tuple[Any, ...] = ()
    parks: bool = False


@dataclass(frozen=True)
class Workflow:
    agent: str
    purpose: str
    asks: tuple[Ask, ...]


def workflows(dice: random.Random) -> Iterator[Workflow]:
    """Endlessly: mostly reading, now and then something that parks, is denied or is wrong."""
    makers = (weekly_sales, answer_ticket, ship_orders, clean_up, look_around, careless)
    while True:
        yield dice.choices(makers, weights=(5, 5, 4, 2, 3, 1))[0](dice)


def weekly_sales(dice: random.Random) -> Workflow:
    category = dice.choice(("kitchen", "garden", "office", "outdoor", "toys"))
    by_category = (
        "SELECT p.category, sum(i.quantity * i.unit_price) AS revenue FROM order_items i"
        " JOIN products p ON p.id = i.product_id JOIN orders o ON o.id = i.order_id"
        " WHERE o.status <> 'cancelled' GROUP BY p.category ORDER BY revenue DESC"
    )
    best = (
        "SELECT p.name, sum(i.quantity) AS sold FROM order_items i JOIN products p ON p.id = i.product_id"
        " WHERE p.category = $1 GROUP BY p.name ORDER BY sold DESC LIMIT 10"
    )
    status = "SELECT status, count(*) FROM orders GROUP BY status ORDER BY 2 DESC"
    return Workflow("analyst-bot", "weekly sales report", (Ask(by_category), Ask(best, (category,)), Ask(status)))


def answer_ticket(dice: random.Random) -> Workflow:
    customer = dice.randrange(1, 8_000)
    who = "SELECT id, full_name, email, phone, plan FROM customers WHERE id = $1"
    said = "SELECT subject, body, status FROM support_tickets WHERE customer_id = $1 ORDER BY opened_at DESC LIMIT 5"
    cards = "SELECT brand, card_number, expires_on FROM payment_cards WHERE customer_id = $1"
    asks = tuple(Ask(sql, (customer,)) for sql in (who, said, cards))
    return Workflow("analyst-bot", "answer a support ticket", asks[: dice.randrange(1, 4)])


def ship_orders(dice: random.Random) -> Workflow:
    order = dice.randrange(1, 12_000)
    asks = (
        Ask("SELECT id, status, total FROM orders WHERE status = 'paid' ORDER BY placed_at LIMIT 20"),
        Ask("UPDATE orders SET status = 'shipped', shipped_at = now() WHERE id = $1", (order,)),
        Ask("UPDATE products SET stock = stock - 1 WHERE id = $1", (dice.randrange(1, 400),)),
    )
    return Workflow("ops-bot", "mark parcels as shipped", asks)


def clean_up(dice: random.Random) -> Workflow:
    ask = dice.choice(
        (
            Ask("DELETE FROM support_tickets WHERE status = 'closed' AND opened_at < '2025-12-01'", parks=True),
            Ask("UPDATE products SET price = round(price * 1.02, 2)", parks=True),
            Ask("DELETE FROM orders WHERE status = 'cancelled'", parks=True),
            Ask("ALTER TABLE products ADD COLUMN discontinued boolean NOT NULL DEFAULT false", parks=True),
            Ask("UPDATE customers SET marketing_consent = false WHERE plan = 'basic'", parks=True),
        )
    )
    return Workflow("ops-bot", "monthly clean-up", (ask,))


def look_around(dice: random.Random) -> Workflow:
    asks = (
        Ask("SELECT plan, count(*) FROM customers GROUP BY plan"),
        Ask("SELECT * FROM customer_overview ORDER BY id LIMIT 10"),
        Ask("SELECT department, count(*), min(hired_on) FROM employees GROUP BY department ORDER BY 1"),
    )
    return Workflow("analyst-bot", "explore the data", (dice.choice(asks),))


def careless(dice: random.Random) -> Workflow:
    asks = (
        Ask("DROP TABLE support_tickets"),
        Ask("TRUNCATE order_items"),
        Ask("SELECT * FORM customers"),
        Ask("SELECT pg_read_file('/etc/passwd')"),
        Ask("SELECT nickname FROM customers LIMIT 1"),
    )
    return Workflow(dice.choice(("analyst-bot", "ops-bot")), "try something", (dice.choice(asks),))


class GatewayRefused(Exception):
    """The gateway is away, overloaded, or does not take the token: ask less often."""


@dataclass
class Gateway:
    """The REST interface, as much of it as an agent needs."""

    url: str
    tokens: dict[str, str]

    def submit(self, agent: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call(agent, "POST", "/api/v1/queries", body)

    def status(self, agent: str, query: str) -> str:
        return str(self._call(agent, "GET", f"/api/v1/queries/{query}").get("status", ""))

    def _call(self, agent: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.tokens[agent]}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise GatewayRefused(str(error)) from error
        finally:
            connection.close()
        if response.status in (401, 429) or response.status >= 500:
            raise GatewayRefused(f"{response.status} {response.reason}")
        with suppress(ValueError):
            answer = json.loads(content)
            return answer if isinstance(answer, dict) else {}
        return {}


@dataclass
class OpenRequests:
    """What waits for people, remembered across restarts: (agent, query id)."""

    path: Path
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with suppress(OSError, ValueError, TypeError):
            self.waiting = [(str(agent), str(query)) for agent, query in json.loads(self.path.read_text())]

    def has_room(self, gateway: Gateway) -> bool:
        """Asks about those remembered only when they are too many."""
        if len(self.waiting) >= MOST_OPEN:
            self.waiting = [entry for entry in self.waiting if gateway.status(*entry) not in END_STATES | {""}]
            self._save()
        return len(self.waiting) < MOST_OPEN

    def add(self, agent: str, query: str) -> None:
        self.waiting.append((agent, query))
        self._save()

    def _save(self) -> None:
        self.path.write_text(json.dumps(self.waiting))


def carry_out(workflow: Workflow, gateway: Gateway, waiting: OpenRequests, dice: random.Random) -> None:
    run = str(uuid.uuid4())
    for number, ask in enumerate(workflow.asks, 1):
        if ask.parks and not waiting.has_room(gateway):
            continue
        body: dict[str, Any] = {
            "datasource": "shop",
            "sql": ask.sql,
            "params": list(ask.params),
            "purpose": workflow.purpose,
            "run": {"id": run, "step": f"step {number}", "model": "scripted"},
        }
        answer = gateway.submit(workflow.agent, body)
        if answer.get("status") == "parked":
            waiting.add(workflow.agent, str(answer["id"]))
        time.sleep(dice.uniform(*QUIET_SECONDS))


def wait_for(path: Path) -> Gateway:
    while True:
        with suppress(OSError, ValueError, KeyError):
            told = json.loads(path.read_text())
            return Gateway(told["web"], {agent["name"]: agent["token"] for agent in told["agents"]})
        time.sleep(0.5)


def main(path: Path) -> None:
    dice = random.Random()  # noqa: S311  it chooses what to ask, nothing secret
    gateway = wait_for(path)
    waiting = OpenRequests(path.parent / "run" / "agent-waits-for.json")
    back_off = 2.0
    for workflow in workflows(dice):
        try:
            carry_out(workflow, gateway, waiting, dice)
            back_off = 2.0
        except GatewayRefused as refusal:
            print(f"refused ({refusal}); asking again in {back_off:.0f} s", flush=True)  # noqa: T201
            time.sleep(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(Path(sys.argv[1]))
