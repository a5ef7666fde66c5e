"""Measures a statement on PostgreSQL: the planner's estimate, then a run in a transaction that is rolled back, always.

It has a connection of its own, which is closed afterwards whatever happens: nothing that the run leaves in the session can
reach anybody else, and `currval` tells which sequences this run, and not another session, has moved.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from approvals.impact.content import Lock, Size
from gateway.drivers.base import Limits, Source, Step, Work
from gateway.drivers.postgres import CANCEL_TIMEOUT, LEVELS, _bound, _connect, _limit, _refusal, _roll_back, _set
from gateway.drivers.postgres_fetch import fetch
from gateway.drivers.postgres_looks import (
    COUNTERS,
    EVENT_TRIGGERS,
    HOLDERS,
    KNOWN_CONSTRAINT,
    KNOWN_RELATION,
    LOCKS,
    SEQUENCES,
    SIZE,
    STORAGE_OF_NAME,
    STORAGE_OF_OID,
    WAITING,
)
from gateway.drivers.postgres_sizes import estimate_rows
from gateway.drivers.postgres_values import parameters
from gateway.measuring.trial import Counted, Refused, Run, Seen, Trial, TrialStep
from governance.catalogue.model import RelationName
from governance.errors import DataSourceUnavailable

Connection = psycopg.Connection[Any]
# Rows are counted one by one only where that is quick; else the planner's estimate has to do.
COUNTED_ROWS = 200_000
COUNTED_BYTES = 64 * 1024 * 1024
LOOKING_MS = 2000
MOST_SEQUENCES = 5000
TRANSACTION_TIMEOUT_SINCE = 170_000
# Trying again without the sample would end the same.
NOT_OF_THE_STATEMENT = frozenset({"57014", "55P03", "40001", "40P01"})
NO_LIMIT_OF_ROWS = 0


def measure(source: Source, trial: Trial) -> Seen:
    """Raises `Cancelled` or `DataSourceUnavailable`."""
    connection = _connect(source)
    try:
        trial.started(lambda: connection.cancel_safe(timeout=CANCEL_TIMEOUT))
        return _Measuring(connection, source, trial).seen()
    except psycopg.Error as error:
        trial.still_wanted()
        refusal = _refusal(error)
        if isinstance(refusal, DataSourceUnavailable):
            raise refusal from error
        raise DataSourceUnavailable("The data source did not answer as expected while it was measured.") from error
    finally:
        trial.ended()
        connection.close()


class _StatementFailed(Exception):
    """The database refused the statement itself, or broke it off."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(error.sqlstate)
        self.error = error


class _Measuring:
    def __init__(self, connection: Connection, source: Source, trial: Trial) -> None:
        self.connection = connection
        self.source = source
        self.trial = trial
        self.version = connection.info.server_version

    def seen(self) -> Seen:
        sizes, estimated = self._look()
        self.trial.still_wanted()
        too_large = self._too_large(sizes, estimated) if self.trial.tries_out else ""
        if too_large or not self.trial.tries_out:
            return Seen(self.version, sizes, estimated, too_large)
        found = self._try_out()
        self.trial.still_wanted()
        if isinstance(found, Refused):
            return Seen(self.version, sizes, estimated, refused=found)
        return Seen(self.version, sizes, estimated, run=found)

    def _too_large(self, sizes: Iterable[Size], estimated: int | None) -> str:
        most = self.trial.bounds.most_rows
        if estimated is not None and estimated > most:
            return f"it changes about {estimated:,} rows by the planner's estimate, and above {most:,} the locks would hurt"
        large = next((size for size in sizes if (size.rows or 0) > most), None)
        if self.trial.defines and large is not None:
            return f"{large.qualified} has about {large.rows:,} rows, and above {most:,} the lock on it would hurt"
        if self.trial.defines and self._event_triggers():
            return "event triggers of the database would run, which could reach outside"
        return ""

    def _event_triggers(self) -> bool:
        with self._transaction(read_only=True):
            return bool(_value(self.connection, EVENT_TRIGGERS))

    # --- Before it runs -------------------------------------------------------------------------------------------

    def _look(self) -> tuple[tuple[Size, ...], int | None]:
        with self._transaction(read_only=True):
            estimates = estimate_rows(self.connection, self.trial.relations)
            self._limit(LOOKING_MS)
            sizes = tuple(self._size(name, estimates) for name in self.trial.relations)
            return sizes, self._estimate()

    def _size(self, name: RelationName, estimates: dict[str, int]) -> Size:
        schema, relation = name
        found, exact, size = estimates.get(f"{schema}.{relation}"), False, 0
        with suppress(psycopg.Error), self.connection.transaction():
            size = _size_of(self.connection, name)
            if found is not None and found <= COUNTED_ROWS and size <= COUNTED_BYTES:
                count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, relation))
                row = self.connection.execute(count).fetchone()
                found, exact = (row[0] if row else None), True
        return Size(schema, relation, found, exact, size)

    def _estimate(self) -> int | None:
        """Rows that it would change, or, of what only reads, return. None where a part of the text has no plan yet."""
        writes = any(not step.only_reads for step in self.trial.steps)
        total = 0
        for step in self.trial.steps:
            if writes and step.only_reads:
                continue
            rows = self._planned(step) if step.is_planned else None
            if rows is None:
                return None
            total += rows
        return total

    def _planned(self, step: TrialStep) -> int | None:
        self.trial.still_wanted()
        try:
            with self.connection.transaction(), psycopg.RawCursor(self.connection) as cursor:
                cursor.execute(b"EXPLAIN (FORMAT JSON) " + step.sql.encode(), parameters(self.trial.params))
                row = cursor.fetchone()
        except psycopg.Error:
            self.trial.still_wanted()
            return None
        plan = row[0][0]["Plan"] if row else {}
        written = list(_written(plan))
        return sum(written) if written or not step.only_reads else int(plan.get("Plan Rows", 0))

    # --- The run --------------------------------------------------------------------------------------------------

    def _try_out(self) -> Run | Refused:
        """As it would run. The form that shows rows asks for a little more than the statement does, such as the right to read:
        where it fails, what counts is the statement itself."""
        shows = any(step.showing and step.showing(self.version) for step in self.trial.steps)
        try:
            return self._run(shows=shows)
        except _StatementFailed as failed:
            self.trial.still_wanted()
            if not shows or failed.error.sqlstate in NOT_OF_THE_STATEMENT:
                return self._refused(failed.error)
        try:
            return self._run(shows=False)
        except _StatementFailed as failed:
            self.trial.still_wanted()
            return self._refused(failed.error)

    def _run(self, *, shows: bool) -> Run:
        with self._transaction(read_only=False):
            begun = time.perf_counter()
            sequences, storage = self._sequences(), self._storage()
            with self._statement():
                rows, samples = self._steps(shows)
                # What waits for COMMIT speaks now: deferred constraints and constraint triggers.
                self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            duration = (time.perf_counter() - begun) * 1000
            self._limit(LOOKING_MS)
            locks, waiting = self._locks()
            return Run(
                rows=rows,
                counted=self._counted(),
                locks=locks,
                waiting=waiting,
                sequences=self._moved(sequences),
                rewritten=self._rewritten(storage),
                samples=samples,
                duration_ms=round(duration, 3),
            )

    @contextmanager
    def _statement(self) -> Iterator[None]:
        """What fails in here fails for the statement's own sake, unless the connection is gone."""
        try:
            yield
        except psycopg.Error as error:
            if error.sqlstate is None or error.sqlstate.startswith("57P") or self.connection.broken:
                raise
            raise _StatementFailed(error) from error

    def _steps(self, shows: bool) -> tuple[int, tuple[list[list[Any]] | None, ...]]:
        deadline = time.monotonic() + self.trial.bounds.timeout_ms / 1000
        changed = 0
        samples: list[list[list[Any]] | None] = []
        for step in self.trial.steps:
            self.trial.still_wanted()
            self._limit(max(1, int((deadline - time.monotonic()) * 1000)))
            text = step.showing(self.version) if shows and step.showing else ""
            answer = None
            if text:
                answer = self._shown(text)
                changed += int(answer[0][0]) if answer else 0
            elif not step.only_reads:
                changed += self._plain(step)
            samples.append(answer)
        self._limit(max(1, int((deadline - time.monotonic()) * 1000)))
        return changed, tuple(samples)

    def _shown(self, text: str) -> list[list[Any]]:
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(text.encode(), parameters(self.trial.params))
            return [list(row) for row in cursor.fetchall()]

    def _plain(self, step: TrialStep) -> int:
        """Rows that it returns are dropped as they come."""
        limits = Limits(NO_LIMIT_OF_ROWS, 0, self.trial.bounds.timeout_ms, self.trial.bounds.lock_timeout_ms)
        return fetch(self.connection, Step(step.sql), self._work(limits, read_only=False)).count

    # --- What is seen from inside the transaction ------------------------------------------------------------------

    def _counted(self) -> tuple[Counted, ...]:
        rows = self.connection.execute(COUNTERS).fetchall()
        return tuple(Counted((schema, name), *counts) for schema, name, *counts in rows)

    def _locks(self) -> tuple[tuple[Lock, ...], int]:
        rows = self.connection.execute(LOCKS).fetchall()
        return tuple(Lock(*row) for row in rows), int(_value(self.connection, WAITING) or 0)

    def _sequences(self) -> dict[int, tuple[str, int | None]]:
        rows = self.connection.execute(SEQUENCES, [MOST_SEQUENCES]).fetchall()
        return {oid: (name, last) for oid, name, last in rows}

    def _moved(self, before: dict[int, tuple[str, int | None]]) -> tuple[str, ...]:
        """Those that another session moved meanwhile are not ours: `currval` fails for them."""
        after = self._sequences()
        differing = [oid for oid, now in after.items() if oid in before and before[oid][1] != now[1]]
        return tuple(sorted(after[oid][0] for oid in differing if self._is_ours(oid)))

    def _is_ours(self, oid: int) -> bool:
        try:
            with self.connection.transaction():
                self.connection.execute("SELECT pg_catalog.currval(%s::oid::regclass)", [oid])
        except psycopg.Error:
            return False
        return True

    def _storage(self) -> dict[RelationName, tuple[int, Any]]:
        found = {}
        for name in self.trial.relations:
            row = self.connection.execute(STORAGE_OF_NAME, [_quoted(self.connection, name)]).fetchone()
            if row and row[0] is not None:
                found[name] = (row[0], row[1])
        return found

    def _rewritten(self, before: dict[RelationName, tuple[int, Any]]) -> tuple[RelationName, ...]:
        """Those that now lie in another file. One that is gone is not rewritten."""
        found = []
        for name, (oid, files) in before.items():
            row = self.connection.execute(STORAGE_OF_OID, [oid]).fetchone()
            if row and row[0] and files and set(row[0]).isdisjoint(files):
                found.append(name)
        return tuple(found)

    # --- A refusal ------------------------------------------------------------------------------------------------

    def _refused(self, error: psycopg.Error) -> Refused:
        diag = error.diag
        relation = constraint = ""
        holders = 0
        with suppress(psycopg.Error), self._transaction(read_only=True):
            if diag.table_name and _value(self.connection, KNOWN_RELATION, [diag.schema_name, diag.table_name]):
                relation = f"{diag.schema_name}.{diag.table_name}"
                names = [diag.schema_name, diag.table_name, diag.constraint_name]
                if diag.constraint_name and _value(self.connection, KNOWN_CONSTRAINT, names):
                    constraint = str(diag.constraint_name)
            if error.sqlstate == "55P03":
                names = [_quoted(self.connection, name) for name in self.trial.relations]
                holders = int(_value(self.connection, HOLDERS, [names]) or 0)
        return Refused(error.sqlstate or "", relation, constraint, holders)

    # --- Transactions ---------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, *, read_only: bool) -> Iterator[None]:
        """Ends with a rollback, however it is left. A connection that cannot even roll back is closed, which is one too."""
        bounds = self.trial.bounds
        limits = Limits(0, 0, bounds.timeout_ms, bounds.lock_timeout_ms)
        try:
            self.connection.read_only = read_only
            self.connection.isolation_level = LEVELS[self.trial.isolation]
            _bound(self.connection, self.source, self._work(limits, read_only=read_only))
            _set(self.connection, self._ends())
            yield
        finally:
            _roll_back(self.connection)

    def _ends(self) -> tuple[tuple[str, str], ...]:
        """If this process stops in the middle, the server ends the transaction by itself."""
        bounds = self.trial.bounds
        idle = ("idle_in_transaction_session_timeout", str(bounds.timeout_ms + LOOKING_MS))
        if self.version < TRANSACTION_TIMEOUT_SINCE:
            return (idle,)
        return (idle, ("transaction_timeout", str(2 * bounds.timeout_ms + 4 * LOOKING_MS)))

    def _limit(self, timeout_ms: int) -> None:
        _limit(self.connection, Limits(0, 0, timeout_ms, self.trial.bounds.lock_timeout_ms))

    def _work(self, limits: Limits, *, read_only: bool) -> Work:
        trial = self.trial
        return Work(
            (), trial.params, limits, read_only, trial.started, trial.ended, trial.still_wanted, settings=trial.settings
        )


def _written(plan: dict[str, Any]) -> Iterator[int]:
    """The rows that each write of a plan is handed."""
    below = plan.get("Plans", ())
    if plan.get("Node Type") == "ModifyTable":
        yield sum(int(one["Plan Rows"]) for one in below if one.get("Parent Relationship") in ("Outer", "Member"))
    for one in below:
        yield from _written(one)


def _value(connection: Connection, query: str, given: Sequence[Any] = ()) -> Any:
    row = connection.execute(query, given or None).fetchone()
    return row[0] if row else None


def _quoted(connection: Connection, name: RelationName) -> str:
    return sql.Identifier(*name).as_string(connection)


def _size_of(connection: Connection, name: RelationName) -> int:
    return int(_value(connection, SIZE, [_quoted(connection, name)]) or 0)
