"""The PostgreSQL driver: psycopg 3, one bounded pool a data source.

Every statement goes by the extended protocol, which carries exactly one (PostgreSQL documentation, 54.2.3), those of one text
inside one transaction whose limits are set `LOCAL`. Reads are `READ ONLY`: the database refuses what analysis missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.drivers.base import CommitUnknown, Ending, Fate, Limits, Rows, Source, Work
from gateway.drivers.postgres_fetch import NO_ROWS, fetch
from gateway.drivers.postgres_sizes import estimate_rows
from gateway.drivers.postgres_values import prepare_session
from governance.errors import Cancelled, DataSourceUnavailable, DriverFailed, GatewayError, Overloaded

CONNECT_TIMEOUT = 3
# What the parser took for granted must hold in the session: it reads '\' and NULL comparisons the standard way.
SESSION = {
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "datestyle": "ISO",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmloption": "content",
    "timezone": "UTC",
    "client_encoding": "UTF8",
    "idle_in_transaction_session_timeout": "60000",
    "application_name": "countersign",
}
# A server that vanished without a word is found out in seconds; by default a read would wait for hours.
NETWORK = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000"}
CANCEL_TIMEOUT = 2.0
XID = "pg_catalog.pg_current_xact_id()::text"
TOUCHED = """
SELECT COALESCE(pg_catalog.sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8 FROM pg_catalog.pg_stat_xact_user_tables
"""
MESSAGE = "pg_catalog.pg_logical_emit_message({}, 'countersign'"
# The release from which a message can be flushed by itself.
FLUSHES_MESSAGES = 170_000
LEVELS = {level.name.lower().replace("_", " "): level for level in psycopg.IsolationLevel} | {"": None}
Connection = psycopg.Connection[Any]


class PostgresDriver:
    def __init__(self) -> None:
        self._pools: dict[str, ConnectionPool[Connection]] = {}
        self._lock = threading.Lock()

    def run(self, source: Source, work: Work) -> Rows:
        with self._connection(source, work.isolated or work.outside_transaction) as connection:
            work.started(lambda: connection.cancel_safe(timeout=CANCEL_TIMEOUT))
            try:
                begun = time.perf_counter()
                if work.outside_transaction:
                    rows = _perform_outside(connection, source, work)
                else:
                    rows = _perform(connection, source, work)
                    _commit(connection)
                duration = (time.perf_counter() - begun) * 1000
            finally:
                work.ended()
        return replace(rows, duration_ms=round(duration, 3), taken=None)

    def fate_of(self, source: Source, transaction_id: str) -> Fate:
        with self._connection(source, isolated=True) as connection:
            try:
                row = connection.execute("SELECT pg_xact_status(%s::xid8)", [transaction_id]).fetchone()
            except psycopg.DataError:
                # An id that this server has not given out yet: it was restored or replaced, and cannot know.
                return Fate.UNKNOWN
            except psycopg.Error as error:
                raise _unavailable(source) from error
        return Fate(row[0]) if row and row[0] in set(Fate) else Fate.UNKNOWN

    def sizes_of(self, source: Source, relations: Sequence[tuple[str, str]]) -> dict[str, int]:
        with self._connection(source, isolated=False) as connection:
            try:
                connection.read_only = True
                return estimate_rows(connection, relations)
            except psycopg.Error as error:
                raise _unavailable(source) from error
            finally:
                _roll_back(connection)

    def role_of(self, source: Source) -> str:
        return str(conninfo_to_dict(source.dsn).get("user", ""))

    def close(self) -> None:
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close(timeout=2)

    @contextmanager
    def _connection(self, source: Source, isolated: bool) -> Iterator[Connection]:
        if isolated:
            connection = _connect(source)
            try:
                yield connection
            finally:
                connection.close()
            return
        pool = self._pool(source)
        try:
            connection = pool.getconn()
        except PoolTimeout:
            raise _why_no_connection(source) from None
        try:
            yield connection
        finally:
            pool.putconn(connection)

    def _pool(self, source: Source) -> ConnectionPool[Connection]:
        with self._lock:
            pool = self._pools.get(source.key)
            if pool is None:
                pool = ConnectionPool(
                    _conninfo(source.dsn),
                    min_size=0,
                    max_size=source.concurrency,
                    timeout=CONNECT_TIMEOUT,
                    max_idle=120,
                    reconnect_timeout=1,
                    check=ConnectionPool.check_connection,
                    configure=_configure,
                    reset=_reset,
                    name=source.name,
                    open=True,
                )
                self._pools[source.key] = pool
            return pool


def _conninfo(dsn: str) -> str:
    given = conninfo_to_dict(dsn)
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    network = {name: value for name, value in NETWORK.items() if name not in given}
    options = f"{given.get('options', '')} {options}".strip()
    return make_conninfo(dsn, connect_timeout=CONNECT_TIMEOUT, options=options, **network)


def _connect(source: Source) -> Connection:
    try:
        connection: Connection = psycopg.connect(_conninfo(source.dsn))
    except psycopg.Error as error:
        raise _unavailable(source) from error
    _configure(connection)
    return connection


def _configure(connection: Connection) -> None:
    prepare_session(connection)


def _reset(connection: Connection) -> None:
    """Nothing of one principal's statement stays for the next one's: settings, temporary relations, sequences' last
    values, advisory locks, prepared statements, cursors. The pool discards a connection on which this fails."""
    connection.autocommit = True
    connection.execute("DISCARD ALL")
    connection.autocommit = False


def _unavailable(source: Source) -> DataSourceUnavailable:
    # The driver's own text can name the host and the user: it goes to the log of the cause, not to the caller.
    return DataSourceUnavailable(
        f"The data source {source.name} does not answer. Nothing was run.",
        remedy="Try again shortly; if it stays, ask its administrator.",
    )


def _why_no_connection(source: Source) -> GatewayError:
    """The pool gave none in time: either the database is away, or all its connections are in use."""
    try:
        psycopg.connect(_conninfo(source.dsn)).close()
    except psycopg.Error:
        return _unavailable(source)
    return Overloaded(
        f"{source.concurrency} statements are running on {source.name} already. Nothing was run.",
        remedy="Try again shortly.",
    )


def _bound(connection: Connection, source: Source, work: Work) -> None:
    _limit(connection, work.limits)
    # Temporary relations last: by default they come before all others, pg_catalog's too.
    path = ", ".join(['"' + name.replace('"', '""') + '"' for name in source.search_path] + ["pg_temp"])
    settings = (("search_path", path), *work.settings)
    _set(connection, settings)


def _limit(connection: Connection, limits: Limits) -> None:
    _set(
        connection,
        (
            ("statement_timeout", str(limits.statement_timeout_ms)),
            ("lock_timeout", str(limits.lock_timeout_ms)),
        ),
    )


def _set(connection: Connection, settings: Sequence[tuple[str, str]]) -> None:
    """For the transaction, or for the whole session where statements run outside of any."""
    local = "false" if connection.autocommit else "true"
    connection.execute(
        f"SELECT {', '.join([f'set_config(%s, %s, {local})'] * len(settings))}",
        [text for setting in settings for text in setting],
    )


def _perform_outside(connection: Connection, source: Source, work: Work) -> Rows:
    """What PostgreSQL refuses inside a transaction. It may commit in parts: if the connection breaks while it runs, nobody can
    tell how far it came."""
    try:
        connection.autocommit = True
        _bound(connection, source, work)
    except psycopg.Error as error:
        raise _unavailable(source) from error
    work.still_wanted()
    if work.before_commit is not None:
        work.before_commit(Ending("", 0))
    try:
        return fetch(connection, work.steps[0], work)
    except psycopg.Error as error:
        refusal = _refusal(error)
        if isinstance(refusal, DataSourceUnavailable):
            raise CommitUnknown from error
        if isinstance(error, psycopg.errors.QueryCanceled):
            work.still_wanted()
        raise refusal from error


def _perform(connection: Connection, source: Source, work: Work) -> Rows:
    """Everything but the COMMIT. Whatever goes wrong, the transaction is gone when this raises."""
    try:
        connection.read_only = work.read_only
        connection.isolation_level = LEVELS[work.isolation]
        _bound(connection, source, work)
        rows = _run_steps(connection, work)
        work.still_wanted()
        if work.before_commit is not None:
            touched = _touched(connection) if work.isolated else None
            work.before_commit(Ending(_transaction_id(connection, source), rows.count, rows.taken, touched))
    except _StepFailed as failed:
        _roll_back(connection)
        if isinstance(failed.error, psycopg.errors.QueryCanceled):
            work.still_wanted()
        refusal = _refusal(failed.error)
        if isinstance(refusal, DriverFailed):
            refusal.step = failed.step
        raise refusal from failed.error
    except BaseException as error:
        _roll_back(connection)
        if isinstance(error, psycopg.Error):
            raise _refusal(error) from error
        raise
    return rows


class _StepFailed(Exception):
    """PostgreSQL refused the step with this number, or broke it off."""

    def __init__(self, step: int, error: psycopg.Error) -> None:
        super().__init__(step)
        self.step = step
        self.error = error


def _run_steps(connection: Connection, work: Work) -> Rows:
    """A step may have changed a time limit for itself: each of them begins with what is left of ours, which is for all of
    them together."""
    found, changed = NO_ROWS, 0
    begun = time.monotonic()
    for number, step in enumerate(work.steps):
        if number:
            work.still_wanted()
            _limit(connection, _left(work.limits, begun))
        try:
            rows = fetch(connection, step, work)
        except psycopg.Error as error:
            raise _StepFailed(number, error) from error
        changed += 0 if step.only_reads else rows.count
        if rows.columns or not found.columns:
            found = replace(rows, step=number)
        if rows.truncated and work.read_only:
            break
    return replace(found, count=len(found.rows) if work.read_only else changed)


def _touched(connection: Connection) -> int:
    """Only on a connection of its own: the server can count in what earlier transactions of a session did."""
    row = connection.execute(TOUCHED).fetchone()
    return int(row[0]) if row else 0


def _left(limits: Limits, begun: float) -> Limits:
    gone = int((time.monotonic() - begun) * 1000)
    # Zero would mean no limit at all.
    return replace(limits, statement_timeout_ms=max(1, limits.statement_timeout_ms - gone))


def _transaction_id(connection: Connection, source: Source) -> str:
    """One that stays this transaction's own: it is flushed to the server's log. An id that is not may be given out again after
    a crash of the server, and whoever commits under it would be taken for this one."""
    if connection.info.server_version >= FLUSHES_MESSAGES:
        row = connection.execute(f"SELECT {XID}, {MESSAGE.format('false')}, '', true)").fetchone()
    else:
        row = connection.execute(f"SELECT {XID}, {MESSAGE.format('false')}, '')").fetchone()
        _flush(source)
    return str(row[0]) if row else ""


def _flush(source: Source) -> None:
    """A COMMIT of another transaction flushes everything that was logged before it."""
    with closing(_connect(source)) as other:
        other.execute(f"SELECT set_config('synchronous_commit', 'local', true), {MESSAGE.format('true')}, '')")
        other.commit()


def _commit(connection: Connection) -> None:
    """Deferred constraints and serialization failures speak here; a connection that breaks leaves the fate open."""
    try:
        connection.commit()
    except psycopg.OperationalError as error:
        if connection.broken or error.sqlstate is None:
            raise CommitUnknown from error
        raise _refusal(error) from error
    except psycopg.Error as error:
        raise _refusal(error) from error


def _roll_back(connection: Connection) -> None:
    if connection.info.transaction_status == pq.TransactionStatus.ACTIVE:
        # Something is still under way that could not be broken off: waiting for it might take for ever.
        connection.close()
        return
    try:
        connection.rollback()
    except psycopg.Error:
        # The pool discards a connection that cannot even roll back; the server has ended its transaction.
        connection.close()


def _refusal(error: psycopg.Error) -> GatewayError:
    """Only the first message: DETAIL and CONTEXT quote rows, keys and internal queries, masked or not."""
    if isinstance(error, psycopg.errors.QueryCanceled) and "user request" in str(error):
        return Cancelled("The statement was broken off on request.", sqlstate=error.sqlstate)
    if error.sqlstate is None or error.sqlstate.startswith("57P"):
        return DataSourceUnavailable(
            "The connection to the data source broke off while the statement ran.",
            remedy="A read can simply be sent again. For a write, look at the query's state first.",
        )
    place = error.diag.statement_position
    return DriverFailed(
        error.diag.message_primary or "The database gave no reason.",
        remedy=REMEDIES.get(error.sqlstate, REMEDIES.get(error.sqlstate[:2], "")),
        place=int(place) - 1 if place and place.isdigit() else None,
        sqlstate=error.sqlstate,
    )


# By SQLSTATE or its class (PostgreSQL documentation, appendix A).
REMEDIES = {
    "57014": "It ran into the time limit: narrow it with a WHERE or a LIMIT.",
    "55P03": "Another transaction holds a lock on these rows: try again later.",
    "25006": "It tried to write inside a read: ask for the write itself.",
    "42803": "Name every output column in GROUP BY: grouping by the primary key alone does not work on masked relations.",
    "42703": "Look the columns up in the data source's catalogue.",
    "08": "Check the number and the types of the parameters.",
    "22": "Check the values against the types of the columns.",
    "23": "The data's own constraints forbid it.",
}


def break_off(cancel: Callable[[], None]) -> None:
    """Calls a handle that `Work.started` was given; a statement that has just ended is no error."""
    try:
        cancel()
    except psycopg.Error as error:
        raise DataSourceUnavailable("The cancel request did not reach the data source.") from error
