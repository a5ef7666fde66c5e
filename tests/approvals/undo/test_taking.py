"""How statements come to show the rows that they change: what they return themselves stays as it is."""

from __future__ import annotations

import pytest

from approvals.undo.taking import OldIsTaken, names_of_rows, showing_rows
from approvals.undo.values import Undoable, Verb
from governance.analysis.parse import parse
from governance.catalogue.model import Column, Relation, RelationKind

COLUMNS = (Column("id", "integer", "integer", True), Column("Big note", "text", "text"))
RELATION = Relation("public", "t", RelationKind.TABLE, COLUMNS, keys=(frozenset({"id"}),))


def shown(sql: str, verb: Verb = Verb.UPDATE, alias: str = "t", *, shows_both: bool = True) -> str:
    undoable = Undoable(RELATION, alias, verb, ("id",), COLUMNS)
    return showing_rows(sql, undoable, shows_both=shows_both).sql


BOTH = "OLD AS countersign_before, NEW AS countersign_after"
ADDED = '"countersign_before"."id", "countersign_before"."Big note", "countersign_after"."id", "countersign_after"."Big note"'


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE t SET a = 1", f"UPDATE t SET a = 1 RETURNING WITH ({BOTH}) {ADDED}"),
        ("UPDATE t SET a = 1 ; -- end", f"UPDATE t SET a = 1 RETURNING WITH ({BOTH}) {ADDED} ; -- end"),
        ("UPDATE t SET a = 1 RETURNING *", f"UPDATE t SET a = 1 RETURNING WITH ({BOTH}) *, {ADDED}"),
        (
            "UPDATE t SET a = (SELECT 'RETURNING') RETURNING /* RETURNING */ id",
            f"UPDATE t SET a = (SELECT 'RETURNING') RETURNING WITH ({BOTH}) /* RETURNING */ id, {ADDED}",
        ),
        (
            "UPDATE t SET a = 1 RETURNING WITH (OLD AS o) o.id",
            "UPDATE t SET a = 1 RETURNING WITH (NEW AS countersign_after, OLD AS o) o.id, "
            + ADDED.replace("countersign_before", "o"),
        ),
        (
            "UPDATE t SET a = 1 RETURNING old.id",
            "UPDATE t SET a = 1 RETURNING WITH (NEW AS countersign_after) old.id, "
            + ADDED.replace("countersign_before", "old"),
        ),
    ],
)
def test_the_rows_come_behind_what_it_returns_itself(sql: str, expected: str) -> None:
    assert shown(sql) == expected


def test_inserts_and_deletes_are_shown_by_any_server() -> None:
    sql = "DELETE FROM t AS x USING u WHERE u.id = x.id"
    expected = f'{sql} RETURNING "x"."id", "x"."Big note"'
    assert shown(sql, Verb.DELETE, "x", shows_both=False) == expected
    assert shown(sql, Verb.DELETE, "x") == expected


def test_an_older_server_looks_at_the_rows_of_an_update_first() -> None:
    sql = "WITH q AS (SELECT $4::int AS id) UPDATE ONLY t AS x SET a = $1 FROM q WHERE x.id = q.id AND x.a IN ($2, $4)"
    taking = showing_rows(sql, Undoable(RELATION, "x", Verb.UPDATE, ("id",), COLUMNS), shows_both=False)
    assert taking.first == (
        'WITH q AS (SELECT CAST($2 AS integer) AS id) SELECT x.id, x."Big note" FROM ONLY t AS x, q'
        " WHERE x.id = q.id AND x.a IN ($1, $2) FOR UPDATE OF x"
    )
    assert taking.first_params == (2, 4)
    assert taking.sql == f'{sql} RETURNING "x"."id", "x"."Big note"'


def test_a_relation_called_old_and_a_row_called_old_are_not_mixed_up() -> None:
    with pytest.raises(OldIsTaken):
        names_of_rows(parse("UPDATE t AS old SET a = 1 RETURNING old.id").statement)
    found, added = names_of_rows(parse("UPDATE t AS old SET a = 1").statement)
    assert found == added
