"""The corpus: statements in files, one after the other, and what came of submitting them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.pipeline import submit
from governance.errors import GatewayError
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

HERE = Path(__file__).parent
_DIRECTIVE = re.compile(r"--\s*(name|expect|params|then):?\s*(.*)\Z")


@dataclass(frozen=True)
class Attempt:
    """`steps` are submitted one after the other; `expect` holds the verdicts that are right."""

    name: str
    steps: tuple[str, ...]
    expect: tuple[str, ...] = ()
    params: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Shop:
    """A governed database, the cast that may ask it, and what nobody may see of it."""

    cast: Cast
    database: TargetDatabase
    secrets: tuple[str, ...]

    def submit(self, sql: str, params: tuple[Any, ...] = ()) -> dict[str, Any]:
        """All that the agent is told, but for times and identifiers."""
        try:
            outcome = submit(self.cast.submission(sql, params=params))
        except GatewayError as error:
            return {
                "state": str(error.query.state) if error.query else "",
                "problem": [error.code, self._same(error.message), error.remedy, error.place, error.sqlstate],
            }
        query = outcome.query
        told: dict[str, Any] = {"state": str(query.state), "row_count": query.row_count, "content": outcome.content}
        if query.request is not None:
            told["decision"] = query.request.decision
        return told

    def _same(self, message: str) -> str:
        """Messages may name the data source; two sources that differ in nothing else have other names."""
        return message.replace(self.cast.datasource.name, "SOURCE").replace(self.database.name, "DATABASE")

    def seen_in(self, told: dict[str, Any]) -> list[str]:
        """The secrets that an answer gives away."""
        text = orjson.dumps(told, default=str).decode().lower()
        return [secret for secret in self.secrets if secret in text]


def load(folder: str) -> list[Attempt]:
    return [attempt for path in sorted((HERE / folder).glob("*.sql")) for attempt in _read(path)]


@dataclass
class _Draft:
    name: str
    lines: list[list[str]] = field(default_factory=lambda: [[]])
    expect: tuple[str, ...] = ()
    params: tuple[Any, ...] = ()

    def finished(self) -> Attempt:
        steps = tuple("\n".join(lines).strip() for lines in self.lines)
        return Attempt(self.name, steps, self.expect, self.params)


def _read(path: Path) -> Iterator[Attempt]:
    """`-- name:` begins an attempt, `-- then` its next step; `-- expect:` and `-- params:` (JSON) say more of it."""
    draft: _Draft | None = None
    for line in path.read_text().split("\n"):
        directive = _DIRECTIVE.match(line)
        if directive is None:
            if draft is not None:
                draft.lines[-1].append(line)
        elif directive[1] == "name":
            if draft is not None:
                yield draft.finished()
            draft = _Draft(f"{path.stem}: {directive[2]}")
        elif draft is None:
            raise ValueError(f"{path.name}: {line!r} stands before the first name")
        elif directive[1] == "then":
            draft.lines.append([])
        elif directive[1] == "expect":
            draft.expect = tuple(word.strip() for word in directive[2].split("|"))
        else:
            draft.params = tuple(orjson.loads(directive[2]))
    if draft is not None:
        yield draft.finished()
