"""What two worlds tell of one statement, byte by byte, and where it differs."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.pipeline import submit
from governance.errors import GatewayError
from tests.noninterference.grammar import Statement
from tests.noninterference.world import World

# PostgreSQL gathers statistics of its own catalogues when it likes, in one database before the other, and chooses other plans
# by them: rows that no ORDER BY sorts are then compared as a multiset, in statements that read a catalogue, only there.
SYSTEM_CATALOGUE = "system catalogue"


def answer(world: World, sql: str, params: tuple[Any, ...], *, in_order: bool = True) -> bytes:
    """All that the agent is told, but for times, identifiers, and the names of the two databases."""
    told: dict[str, Any] = {}
    try:
        outcome = submit(world.shop.cast.submission(sql, params=params))
        query = outcome.query
        content = outcome.content
        if content and not in_order:
            content = content | {"rows": sorted(content["rows"], key=orjson.dumps)}
        told |= {"row_count": query.row_count, "content": content}
        if query.request is not None:
            told["request"] = {
                "decision": query.request.decision,
                "facts": query.request.facts,
                "required": query.request.required,
            }
    except GatewayError as error:
        query = error.query
        told["problem"] = [type(error).__name__, error.code, error.message, error.remedy, error.place, error.sqlstate]
    if query is not None:
        told |= {"state": str(query.state), "facts": query.facts, "decision": query.decision, "verdict": query.verdict}
    text = orjson.dumps(told, default=str, option=orjson.OPT_SORT_KEYS)
    for name in (world.shop.database.name, world.shop.cast.datasource.name):
        text = text.replace(name.encode(), b"SOURCE")
    return text


OFTEN = 40


@dataclass
class Tally:
    """How often each construct came, and what became of it: a generator whose statements all fail proves nothing."""

    statements: int = 0
    states: Counter[str] = field(default_factory=Counter)
    constructs: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    # Why statements did not execute: what to teach the generator, or the gateway.
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, statement: Statement, told: bytes) -> None:
        answer = orjson.loads(told)
        state = str(answer.get("state", "unread"))
        self.statements += 1
        self.states[state] += 1
        if "problem" in answer:
            self.reasons[f"{state}: {answer['problem'][2][:160]}"] += 1
        for construct in statement.constructs:
            self.constructs[construct][state] += 1

    @property
    def executed(self) -> float:
        return self.states["executed"] / self.statements if self.statements else 0.0

    def never_executed(self) -> set[str]:
        """Of those that came at least `OFTEN` times: what comes twice may be unlucky twice."""
        return {name for name, states in self.constructs.items() if states.total() >= OFTEN and not states["executed"]}

    def report(self) -> str:
        lines = [
            f"{self.statements} statements: " + ", ".join(f"{n} {state}" for state, n in self.states.most_common())
        ]
        for name in sorted(self.constructs):
            lines.append(f"  {name:24} " + ", ".join(f"{n} {s}" for s, n in self.constructs[name].most_common()))
        lines += [f"  {count:5} × {reason}" for reason, count in self.reasons.most_common(25)]
        return "\n".join(lines)


def compare(worlds: tuple[World, World], statement: Statement, tally: Tally) -> None:
    """Raises `AssertionError` that shows both answers. A statement that changes something is followed by a look at it."""
    told = _ask(worlds, statement.sql, statement.params, in_order=SYSTEM_CATALOGUE not in statement.constructs)
    tally.note(statement, told[0])
    if not statement.touched:
        return
    for table in statement.touched:
        _ask(worlds, f"SELECT * FROM {table} ORDER BY 1", ())
    for world in worlds:
        world.fill()


def _ask(
    worlds: tuple[World, World], sql: str, params: tuple[Any, ...], *, in_order: bool = True
) -> tuple[bytes, bytes]:
    first, second = (answer(world, sql, params, in_order=in_order) for world in worlds)
    if first != second:
        raise AssertionError(f"The worlds can be told apart by\n{sql}\n{params}\n{_difference(first, second)}")
    for world, told in zip(worlds, (first, second), strict=True):
        lowered = told.lower()
        seen = [mark for mark in world.secrets.marks if mark.encode() in lowered and mark not in sql.lower()]
        if seen:
            raise AssertionError(f"Secrets {seen} are seen in the answer to\n{sql}\n{told.decode()}")
    return first, second


def _difference(first: bytes, second: bytes) -> str:
    alder, birch = (
        orjson.dumps(orjson.loads(one), option=orjson.OPT_INDENT_2).decode().splitlines() for one in (first, second)
    )
    return "\n".join(list(difflib.unified_diff(alder, birch, "alder", "birch", lineterm="", n=2))[:80])
