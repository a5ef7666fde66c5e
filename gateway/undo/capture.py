"""Keeps the rows that an approved statement changes: asked before it runs, taken while it runs, kept before it commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from approvals.models import Impact, Request
from approvals.undo import possible
from approvals.undo.judging import SHOWS_BOTH
from approvals.undo.keeping import images_of, keep
from approvals.undo.taking import NotTaken, Taking, showing_rows
from approvals.undo.values import Image, Possible, Row, Server, Undoable, Verb
from gateway.drivers import driver_for
from gateway.drivers.base import Ending, Images, Limits, Step, Taken, Work
from gateway.work import source_of
from governance.assessment import Assessment
from governance.errors import DataSourceUnavailable, GatewayError
from governance.models import DataSource

PRIVILEGES = ("INSERT", "UPDATE", "DELETE")
NEEDED = {
    Verb.INSERT: ("SELECT", "INSERT", "DELETE"),
    Verb.UPDATE: ("SELECT", "UPDATE"),
    Verb.DELETE: ("SELECT", "DELETE", "INSERT"),
    Verb.MERGE: ("SELECT", *PRIVILEGES),
}
# One row: the version, and what the role may do with the relation.
ASKED_OF_SERVER = """
SELECT pg_catalog.current_setting('server_version_num')::int,
       NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')),
       pg_catalog.has_table_privilege(c.oid, 'INSERT'), pg_catalog.has_table_privilege(c.oid, 'UPDATE'),
       pg_catalog.has_table_privilege(c.oid, 'DELETE')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
"""
LOOK = Limits(max_rows=1, max_bytes=10_000, statement_timeout_ms=5_000, lock_timeout_ms=1_000)


class UndoNotKept(GatewayError):
    """People approved it with the promise that it can be taken back, and the rows for that could not be had."""

    code = "undo-not-kept"
    title = "The rows for an undo could not be kept"
    status = 409


@dataclass(frozen=True, slots=True)
class Capture:
    """How one run keeps the rows that it changes. `promised`: without them it must not commit."""

    undoable: Undoable
    taking: Taking
    promised: bool
    # Where the rows are looked at first, that and the change itself must see the same.
    isolation: str = ""

    def steps(self, params: list[Any]) -> tuple[Step, ...]:
        """The statement as it runs; `params` are its own."""
        images = Images(
            before=self.taking.before,
            after=self.taking.after,
            max_rows=settings.UNDO_ROWS,
            max_bytes=settings.UNDO_BYTES,
            first=self.taking.first,
            first_params=tuple(params[number - 1] for number in self.taking.first_params),
        )
        return (Step(self.taking.sql, images=images),)

    def keep(self, request: Request, attempt: int, ending: Ending) -> None:
        """In the transaction that makes the transaction id durable. Raises `UndoNotKept`: then it must not commit."""
        taken = ending.taken
        if taken is None or taken.too_many:
            if self.promised or request.reverts_id:
                raise UndoNotKept(
                    "The rows that it changes are more, or larger, than an undo keeps. Nothing was changed.",
                    remedy="Change fewer rows at a time, or have COUNTERSIGN_UNDO_ROWS and COUNTERSIGN_UNDO_BYTES raised.",
                )
            return
        images = self._images(taken)
        if len(images) != ending.changed:
            raise UndoNotKept(
                f"It changed {ending.changed} rows, and {len(images)} were seen. Nothing was changed.",
                remedy="The rows changed while it ran. Ask for it again.",
            )
        if request.reverts is not None:
            _check_restored(request.reverts, images)
        keep(request, self.undoable, images, attempt=attempt, xid=ending.transaction_id)

    def _images(self, taken: Taken) -> list[Image]:
        verb, places = self.undoable.verb, self.undoable.key_places
        if verb is Verb.INSERT:
            return [(None, row) for row in taken.after]
        if verb is Verb.DELETE:
            return [(row, None) for row in taken.before]
        if self.taking.first:
            earlier = {tuple(row[place] for place in places): row for row in taken.first}
            found = ((earlier.pop(tuple(row[place] for place in places), None), row) for row in taken.after)
            return [(before, after) for before, after in found if before is not None]
        pairs = zip(taken.before, taken.after, strict=True)
        return [(_there(before, places), _there(after, places)) for before, after in pairs]


def _there(row: Row, places: tuple[int, ...]) -> Row | None:
    """A row that was not there before, or is not there after, is all NULL; no key of a row that is there has one."""
    return None if all(row[place] is None for place in places) else row


def _check_restored(original: Request, images: list[Image]) -> None:
    """Byte for byte what was there before the change. Whatever stands in the way (a trigger that nobody knew of, a value that
    is not read as it was written) ends in a rollback."""
    changes = {(_spelt(before), _spelt(after)) for before, after in images_of(original.undo)}
    if any((_spelt(after), _spelt(before)) not in changes for before, after in images):
        raise UndoNotKept(
            "A row would not have come back exactly as it was before. Nothing was changed.",
            remedy="Something in the database changes the rows that are written, such as a trigger. Restore them by hand.",
        )


def _spelt(row: Row | None) -> tuple[str | None, ...] | None:
    return None if row is None else tuple(row)


# --- Before it runs -----------------------------------------------------------------------------------------------


def outlook(datasource: DataSource, assessment: Assessment) -> Possible:
    """Whether an exact undo of the statement exists, as of now. Raises `DataSourceUnavailable`."""
    found, _ = _look_ahead(datasource, assessment)
    return found


def prepare(request: Request, assessment: Assessment) -> Capture | None:
    """How the run keeps its rows; None where there is no exact undo. Raises `DataSourceUnavailable`."""
    found, taking = _look_ahead(request.datasource, assessment)
    if found.undoable is None or taking is None:
        return None
    rows = Impact.objects.filter(request=request, state=Impact.State.MEASURED).values_list("rows", flat=True).first()
    if rows is not None and rows > settings.UNDO_ROWS:
        return None
    promised = rows is not None and _is_small(found.undoable, rows)
    return Capture(found.undoable, taking, promised, "repeatable read" if taking.first else "")


def too_large(undoable: Undoable, rows: int) -> str:
    """Why so many rows of it are not kept, as a sentence; empty where they are."""
    if rows > settings.UNDO_ROWS:
        return f"It changes {rows:,} rows; {settings.UNDO_ROWS:,} are kept at most."
    if not _is_small(undoable, rows):
        return f"The rows that it changes may take more than the {settings.UNDO_BYTES // 2**20:,} MiB that are kept at most."
    return ""


def _is_small(undoable: Undoable, rows: int) -> bool:
    """By the average row of the relation, with room for what is stored elsewhere or compressed."""
    relation = undoable.relation
    average = max(64, relation.size_bytes // max(1, relation.estimated_rows))
    return bool(rows <= settings.UNDO_ROWS and 4 * average * rows <= settings.UNDO_BYTES)


def _look_ahead(datasource: DataSource, assessment: Assessment) -> tuple[Possible, Taking | None]:
    found = possible(assessment.script, Server(SHOWS_BOTH))
    if found.undoable is None:
        return found, None
    server = server_of(datasource, found.undoable)
    found = possible(assessment.script, server)
    if found.undoable is None or not assessment.texts:
        return found, None
    try:
        return found, showing_rows(assessment.texts[0], found.undoable, shows_both=server.version >= SHOWS_BOTH)
    except NotTaken as error:
        return Possible(False, str(error)), None


def server_of(datasource: DataSource, undoable: Undoable) -> Server:
    relation = undoable.relation
    work = Work(
        steps=(Step(ASKED_OF_SERVER),),
        params=(relation.schema, relation.name),
        limits=LOOK,
        read_only=True,
        started=lambda _: None,
        ended=lambda: None,
        still_wanted=lambda: None,
    )
    rows = driver_for(datasource.engine).run(source_of(datasource), work).rows
    if not rows:
        raise DataSourceUnavailable(f"{relation.qualified} is not there any more.", remedy="Read the catalogue again.")
    version, *granted = rows[0]
    has = dict(zip(("SELECT", *PRIVILEGES), granted, strict=True))
    return Server(version, tuple(name for name in NEEDED[undoable.verb] if not has[name]))
