"""Change, take back, equal: for tables of any types, any rows and any change, byte for byte, on the real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.undo import Server, possible
from approvals.undo.judging import SHOWS_BOTH
from approvals.undo.restoring import Kept, restoring, still_there
from approvals.undo.taking import showing_rows
from approvals.undo.values import Image
from gateway.drivers.base import Ending, Images, Limits, Source, Step, Work
from gateway.drivers.postgres import PostgresDriver
from gateway.undo.capture import Capture
from governance.analysis.analyse import analyse_script
from governance.catalogue.model import Catalogue, RelationKind
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import MakeTarget, TargetDatabase
from tests.gateway.undo.tables import TYPES, Table, changes, tables

ROOM = Limits(100_000, 64 * 2**20, 60_000, 10_000)
BEFORE_18 = 170_000


class Engine:
    """Runs statements as an execution does, without people and without a ledger."""

    def __init__(self, target: TargetDatabase) -> None:
        self.target = target
        self.driver = PostgresDriver()
        self.source = Source("property", "property", target.dsn, ("public",), 2)

    def begin(self, table: Table) -> Catalogue:
        self.target.admin.execute(f'DROP TABLE IF EXISTS "The Table"; {table.create}')
        self.target.admin.execute(f'ALTER TABLE "The Table" OWNER TO {self.target.role}')
        self.target.admin.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {self.target.role}")
        self.target.admin.execute(table.insert(0, table.rows))
        return read_catalogue(self.target.admin, ("public",))

    def rows(self) -> list[tuple[str]]:
        return self.target.fetch('SELECT t::text FROM "The Table" t ORDER BY t::text COLLATE "C"')

    def work(self, step: Step, params: Any, **more: Any) -> Work:
        return Work(
            (step,), tuple(params), ROOM, False, lambda _: None, lambda: None, lambda: None, isolated=True, **more
        )

    def change(self, sql: str, params: Any, catalogue: Catalogue, version: int) -> tuple[Kept, list[Image]]:
        """Runs it, and gives the rows that it changed. Its own result must be what it is without that."""
        script = analyse_script(sql, catalogue)
        assert not script.facts.unknown, script.facts.unknown
        found = possible(script, Server(version))
        assert found.undoable is not None, (sql, found.why_not)
        taking = showing_rows(sql, found.undoable, shows_both=version >= SHOWS_BOTH)
        capture = Capture(found.undoable, taking, promised=True)
        step = Step(
            taking.sql,
            images=Images(
                taking.before, taking.after, 100_000, 64 * 2**20, taking.first,
                tuple(params[number - 1] for number in taking.first_params),
            ),
        )  # fmt: skip
        endings: list[Ending] = []
        rows = self.driver.run(
            self.source,
            self.work(step, params, before_commit=endings.append, isolation="repeatable read" if taking.first else ""),
        )
        (ending,) = endings
        assert ending.taken is not None
        images = capture._images(ending.taken)
        assert len(images) == ending.changed
        assert not rows.columns or all(len(row) == len(rows.columns) for row in rows.rows)
        relation = found.undoable.relation
        columns = tuple((column.name, column.type) for column in found.undoable.columns)
        kept = Kept(relation.schema, relation.name, relation.kind is RelationKind.TABLE, found.undoable.key, columns)
        return kept, images


@pytest.fixture(scope="module")
def engine(target_database: MakeTarget) -> Iterator[Engine]:
    engine = Engine(target_database(TYPES))
    yield engine
    engine.driver.close()


@st.composite
def cases(draw: st.DrawFn) -> tuple[Table, str]:
    table = draw(tables())
    return table, draw(changes(table))


def oldest_for(sql: str) -> int:
    """Rows that are inserted, updated and deleted at once are kept from PostgreSQL 18 on."""
    return SHOWS_BOTH if "MERGE" in sql or "ON CONFLICT" in sql else BEFORE_18


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(), early=st.booleans())
def test_a_change_that_is_taken_back_leaves_the_rows_as_they_were(
    engine: Engine, case: tuple[Table, str], early: bool
) -> None:
    table, sql = case
    catalogue = engine.begin(table)
    version = oldest_for(sql) if early else SHOWS_BOTH
    before = engine.rows()
    kept, images = engine.change(sql, (), catalogue, version)
    changed = engine.rows()
    undo = restoring(kept, images) if any(one != other for one, other in images) else None
    if undo is None:
        assert changed == before
        return
    assert undo.rows == sum(one != other for one, other in images)
    again, backwards = engine.change(undo.sql, undo.params, catalogue, SHOWS_BOTH)
    assert engine.rows() == before
    assert len(backwards) == undo.rows
    redo = restoring(again, backwards)
    engine.change(redo.sql, redo.params, catalogue, SHOWS_BOTH)
    assert engine.rows() == changed


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(), place=st.integers(0, 100))
def test_rows_that_were_changed_since_are_told_apart_and_left_alone(
    engine: Engine, case: tuple[Table, str], place: int
) -> None:
    table, sql = case
    catalogue = engine.begin(table)
    kept, images = engine.change(sql, (), catalogue, SHOWS_BOTH)
    images = [image for image in images if image[0] != image[1]]
    if not images:
        return
    before, after = images[place % len(images)]
    key = int((after or before or ["0"])[0] or 0)
    if after is None:
        engine.target.admin.execute(table.insert(key, table.rows[:1]))
    else:
        engine.target.admin.execute(f'DELETE FROM "The Table" WHERE id = {key}')
    since = engine.rows()
    question = still_there(kept, images)
    found = engine.driver.run(engine.source, engine.work(Step(question.sql), question.params)).rows
    assert sorted(int(row[0]) for row in found) == [
        number for number, image in enumerate(images, 1) if image != (before, after)
    ]
    undo = restoring(kept, images)

    def short(ending: Ending) -> None:
        assert ending.changed == undo.rows - 1
        raise Enough

    with pytest.raises(Enough):
        engine.driver.run(engine.source, replace(engine.work(Step(undo.sql), undo.params), before_commit=short))
    assert engine.rows() == since


class Enough(Exception):
    """Ends a transaction as the bound on rows does."""
