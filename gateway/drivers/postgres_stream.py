"""A cursor that streams any statement in chunks: also one that returns no rows, and one that returns none this time."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import generators, pq

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult

CHUNKS = (pq.ExecStatus.TUPLES_CHUNK, pq.ExecStatus.SINGLE_TUPLE)
TEXT_OID = psycopg.adapters.types["text"].oid
ENDS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class StreamingCursor(psycopg.RawCursor[Any]):
    """psycopg's own `stream` forgets the last answer of the server, which tells the columns of an empty result and how
    many rows were changed. Here it is kept: `description` and `changed` hold after any stream that ran to its end.
    """

    changed = 0

    def chunks(
        self, sql: bytes, params: list[Any] | None, size: int, *, as_text: int = 0
    ) -> Generator[list[list[Any]]]:
        """Up to `size` rows at a time, made in psycopg's C: nothing of ours is done for a single row. Close it when there are
        enough: the statement is then cancelled. The last `as_text` columns come as PostgreSQL writes them."""
        with self._conn.lock:
            try:
                self._conn.wait(self._stream_send_gen(sql, params, size=size))
                first = True
                while result := self._conn.wait(self._stream_fetchone_gen(first)):
                    if first and as_text:
                        self._load_as_text(result, as_text)
                    yield self._tx.load_rows(0, result.ntuples, list)
                    first = False
            finally:
                if self._pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                    self._break_off()

    def _load_as_text(self, result: PGresult, count: int) -> None:
        own = [result.ftype(column) for column in range(result.nfields - count)]
        self._tx.set_loader_types([*own, *[TEXT_OID] * count], pq.Format.TEXT)

    def _break_off(self) -> None:
        """What the server has sent already must be read before the connection can do anything else."""
        self._conn._try_cancel()
        while self._pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            while self._conn.wait(generators.fetch(self._pgconn)) is not None:
                pass

    def _stream_fetchone_gen(self, first: bool) -> PQGen[Any]:
        result = yield from generators.fetch(self._pgconn)
        if result is None:
            return None
        # libpq puts the command's tag on the last chunk, if that is not full, and else on the end.
        self.changed = result.command_tuples or self.changed
        if result.status in CHUNKS:
            self.pgresult = result
            self._tx.set_pgresult(result, set_loaders=first)
            if first:
                self._make_row = self._make_row_maker()
            return result
        if result.status not in ENDS:
            self._raise_for_result(result)
        self.pgresult = result
        while (yield from generators.fetch(self._pgconn)) is not None:
            pass
        return None
