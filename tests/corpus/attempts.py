"""The corpus: statements in files, one after the other, and what came of submitting them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.pipeline import submit
from governance.errors import GatewayError
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

HERE = Path(__file__).parent
# What a line `-- word: …` may say; other comments belong to the statement.
_WORDS = (
    "name expect params then masked classes as "
    "kinds relations columns functions hazards unknown by-key rows-inserted parameters statements verdict policies masks"
)
_DIRECTIVE = re.compile(rf"--\s*({'|'.join(_WORDS.split())}):?(?:\s+(.*))?\Z")
_OID = re.compile(r"\{oid (\w+)(?: ([^}]*))?\}")
# What `{oid KIND NAME}` in a statement stands for: clients ask by the numbers that they were told before.
_OIDS = {
    "constraint": "SELECT oid FROM pg_constraint WHERE conname = %s",
    "database": "SELECT oid FROM pg_database WHERE datname = current_database()",
    "namespace": "SELECT %s::regnamespace::oid",
    "regclass": "SELECT %s::regclass::oid",
    "regoperator": "SELECT %s::regoperator::oid",
    "regprocedure": "SELECT %s::regprocedure::oid",
    "regtype": "SELECT %s::regtype::oid",
    "rule": "SELECT oid FROM pg_rewrite WHERE rulename = %s",
    "trigger": "SELECT oid FROM pg_trigger WHERE tgname = %s",
}


@dataclass(frozen=True)
class Attempt:
    """`steps` are submitted one after the other; `expect` holds the verdicts that are right; `says` all other directives."""

    name: str
    steps: tuple[str, ...]
    expect: tuple[str, ...] = ()
    params: tuple[Any, ...] = ()
    says: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def origin(self) -> str:
        """The file that it stands in."""
        return self.name.partition(":")[0]

    def listed(self, word: str) -> tuple[str, ...]:
        """The items of a directive, separated by commas."""
        return tuple(item.strip() for item in self.says.get(word, "").split(",") if item.strip())


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

    def with_oids(self, sql: str) -> str:
        """`{oid regclass orders}` and its like become the numbers that they have in this database."""
        return _OID.sub(lambda found: self._oid(found[1], found[2]), sql)

    def _oid(self, kind: str, name: str | None) -> str:
        row = self.database.admin.execute(_OIDS[kind], [name] if name else []).fetchone()
        if row is None:
            raise LookupError(f"the database has no {kind} {name}")
        return str(row[0])

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
    says: dict[str, str] = field(default_factory=dict)

    def finished(self) -> Attempt:
        steps = tuple("\n".join(lines).strip() for lines in self.lines)
        return Attempt(self.name, steps, self.expect, self.params, self.says)


def _read(path: Path) -> Iterator[Attempt]:
    """`-- name:` begins an attempt, `-- then` its next step; the other directives say more of it (README.md lists them)."""
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
        elif directive[1] == "params":
            draft.params = tuple(orjson.loads(directive[2]))
        else:
            draft.says[directive[1]] = directive[2] or ""
    if draft is not None:
        yield draft.finished()
