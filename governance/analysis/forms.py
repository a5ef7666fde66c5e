"""Reads statements that hold, move or show others (COPY, EXPLAIN, PREPARE, cursors), and what locks and tends. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import ReindexObjectType, TransactionStmtKind

from governance.analysis.definitions import NOTHING, create_table_as
from governance.analysis.facts import Kind, RelationUse, Use
from governance.analysis.overlay import Held
from governance.analysis.session import is_on
from governance.analysis.tree import place_of
from governance.catalogue.model import Relation, RelationKind

if TYPE_CHECKING:
    from governance.analysis.reader import Reader

QUERIES = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def query(reader: Reader, node: Any) -> None:
    if isinstance(node, ast.SelectStmt):
        reader.kinds.add(Kind.READ)  # also for VALUES, which reads nothing
    reader.visit(node, NOTHING)


# --- COPY ---------------------------------------------------------------------------------------------------------

# Of text that comes out; the gateway relays it as it is, so it stays text in UTF-8.
COPY_OPTIONS = frozenset({"format", "delimiter", "null", "header", "quote", "escape", "force_quote", "encoding"})
COPY_FORMATS = frozenset({"text", "csv"})


def copy(reader: Reader, node: Any) -> None:
    if node.is_program:
        reader.kinds.add(Kind.ADMIN)
        reader.warn("program-execution", "Runs a program on the database server.")
    elif node.filename:
        reader.kinds.add(Kind.ADMIN)
        reader.warn("file-access", "Reads or writes a file on the database server.")
    if node.is_from:
        return _copy_from(reader, node)
    reader.kinds.add(Kind.READ)
    if node.is_program or node.filename:
        reader.not_understood("COPY TO a file or a program", "use COPY … TO STDOUT, or SELECT")
    for option in node.options or ():
        _read_copy_option(reader, option)
    if node.relation is not None:
        reader.visit(node.relation, NOTHING)
    if node.query is not None:
        query(reader, node.query)
    return None


def _copy_from(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.WRITE)
    reader.rows_inserted = None
    reader.define(node.relation, use=Use.INSERT)
    source = "a file or a program" if node.filename else "STDIN"
    reader.not_understood(f"COPY FROM {source}", "its rows are not in the statement; use INSERT … VALUES")


def _read_copy_option(reader: Reader, option: Any) -> None:
    name, value = str(option.defname), getattr(option.arg, "sval", None)
    fits = name in COPY_OPTIONS
    if name == "format":
        fits = value in COPY_FORMATS
    elif name == "encoding":
        fits = str(value).lower() in ("utf8", "utf-8", "unicode")
    if not fits:
        shown = f"COPY option {name}" if value is None else f"COPY option {name} {value}"
        reader.not_understood(shown, "only text and CSV in UTF-8 are relayed", place_of(option))


# --- EXPLAIN ------------------------------------------------------------------------------------------------------

EXPLAIN_OPTIONS = frozenset(
    "analyze verbose costs settings generic_plan buffers serialize wal timing summary memory format".split()
)


def explain(reader: Reader, node: Any) -> None:
    """Only ANALYZE runs what it explains; the relations are the same either way, since planning looks at their statistics."""
    reader.warn("explain", "Shows the plan of a statement.")
    runs = False
    for option in node.options or ():
        if option.defname not in EXPLAIN_OPTIONS:
            reader.not_understood(f"EXPLAIN option {option.defname}", "it is not known", place_of(option))
        runs = runs or (option.defname == "analyze" and is_on(option.arg))
    kinds, relations, hazards = set(reader.kinds), set(reader.relations), list(reader.hazards)
    _read_explained(reader, node.query)
    if runs:
        return
    reader.kinds = kinds | {Kind.READ}
    reader.hazards = hazards + [
        hazard for hazard in reader.hazards if hazard.code not in OF_RUNNING and hazard not in hazards
    ]
    reader.relations = relations | {RelationUse(use.schema, use.name, Use.READ) for use in reader.relations}
    reader.by_key, reader.rows_inserted = True, 0
    reader.changes = type(reader.changes)()


# What is dangerous only when it happens.
OF_RUNNING = frozenset(
    """
    always-true-where cascade delete-without-where fires-trigger row-lock unbounded-read update-without-where
    opaque-trigger
    """.split()
)


def _read_explained(reader: Reader, node: Any) -> None:
    if isinstance(node, QUERIES):
        query(reader, node)
    elif isinstance(node, ast.CreateTableAsStmt):
        create_table_as(reader, node)
    elif isinstance(node, ast.DeclareCursorStmt):
        query(reader, node.query)
    else:
        reader.kinds.add(Kind.OPAQUE)
        what = type(node).__name__.removesuffix("Stmt")
        reader.not_understood(f"EXPLAIN {what}", "explain the query itself", None)


# --- Prepared statements and cursors ------------------------------------------------------------------------------


def prepare(reader: Reader, node: Any) -> None:
    """Read as what it holds, which it plans; its parameters are its own."""
    reader.visit_all(node.argtypes, NOTHING)
    query(reader, node.query)
    reader.changes.prepared[str(node.name)] = Held(frozenset(reader.kinds), reader.rows_inserted)
    reader.parameters, reader.rows_inserted = 0, 0
    if reader.changes.filled:
        reader.not_understood("PREPARE of SELECT INTO", "use CREATE TABLE AS")


def execute(reader: Reader, node: Any) -> None:
    """What it reads and writes was told with the PREPARE, which stands in the same text."""
    held = reader.earlier.prepared.get(str(node.name))
    if held is None:
        reader.kinds.add(Kind.SESSION)
        why = "no statement of this name is prepared since names last changed their meaning in this text; put PREPARE"
        why += " directly before it, or send the statement itself"
        return reader.not_understood(f"EXECUTE {node.name}", why)
    reader.kinds |= held.kinds
    reader.rows_inserted = held.rows_inserted
    return reader.visit_all(node.params, NOTHING)


def deallocate(reader: Reader, node: Any) -> None:
    let_go = {str(node.name)} if node.name else reader.earlier.prepared.keys()
    _let_go(reader, let_go, reader.earlier.prepared)
    reader.changes.prepared.update(dict.fromkeys(let_go, None))


def _let_go(reader: Reader, names: Iterable[str], held: Mapping[str, Held]) -> None:
    """Letting go of what the same text holds is no more than that was."""
    for name in names:
        reader.kinds |= held[name].kinds if name in held else {Kind.SESSION}
    if not reader.kinds:
        reader.kinds.add(Kind.SESSION)


# cursoroptions (parsenodes.h)
BINARY, HOLD = 0x0001, 0x0020


def declare(reader: Reader, node: Any) -> None:
    options = int(node.options or 0)
    if options & HOLD:
        reader.not_understood(
            f"DECLARE {node.portalname} WITH HOLD", "it outlives the transaction; leave WITH HOLD out"
        )
    if options & BINARY:
        reader.not_understood(f"DECLARE {node.portalname} BINARY", "rows are relayed as text; leave BINARY out")
    query(reader, node.query)
    reader.changes.cursors[str(node.portalname)] = Held(frozenset(reader.kinds))


def fetch(reader: Reader, node: Any) -> None:
    """Also MOVE."""
    held = reader.earlier.cursors.get(str(node.portalname))
    if held is None:
        reader.kinds.add(Kind.SESSION)
        why = "no cursor of this name is declared since names last changed their meaning in this text; put DECLARE"
        why += " directly before it, or send the query itself"
        return reader.not_understood(f"FETCH from {node.portalname}", why)
    reader.kinds |= held.kinds
    return None


def close(reader: Reader, node: Any) -> None:
    let_go = {str(node.portalname)} if node.portalname else reader.earlier.cursors.keys()
    _let_go(reader, let_go, reader.earlier.cursors)
    reader.changes.cursors.update(dict.fromkeys(let_go, None))


# --- Locking and tending ------------------------------------------------------------------------------------------


GOES_ON = (
    TransactionStmtKind.TRANS_STMT_BEGIN,
    TransactionStmtKind.TRANS_STMT_START,
    TransactionStmtKind.TRANS_STMT_SAVEPOINT,
    TransactionStmtKind.TRANS_STMT_RELEASE,
)


def transaction(reader: Reader, node: Any) -> None:
    """What ends one or goes back in it cannot be permitted: the gateway commits, once the statement is recorded."""
    reader.kinds.add(Kind.TRANSACTION)
    if node.kind not in GOES_ON:
        what = node.kind.name.removeprefix("TRANS_STMT_").replace("_", " ")
        reader.not_understood(what, "a text runs in one transaction, which Countersign ends; leave it out", final=True)


def lock(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.TRANSACTION)
    for relation in node.relations:
        reader.define(relation, use=Use.LOCK)
        reader.warn("blocking-lock", f"Locks {relation.relname} until the transaction ends.", place_of(relation))


def vacuum(reader: Reader, node: Any) -> None:
    """VACUUM and ANALYZE: the latter only takes samples, which nobody is shown (pg_statistic is closed)."""
    reader.kinds.add(Kind.ADMIN)
    reader.outside_transaction |= bool(node.is_vacuumcmd)
    full = any(option.defname == "full" and is_on(option.arg) for option in node.options or ())
    for item in node.rels or ():
        if item.relation is not None:
            reader.define(item.relation, use=Use.LOCK)
            if full:
                _rewritten(reader, item.relation)


def cluster(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.ADMIN)
    if node.relation is None:
        reader.outside_transaction = True
        reader.warn("table-rewrite", "Rewrites every relation that was clustered before, under a lock each.")
        return
    relation = reader.define(node.relation)
    reader.outside_transaction |= _is_partitioned(relation)
    _rewritten(reader, node.relation)


def _rewritten(reader: Reader, node: Any) -> None:
    reader.warn("table-rewrite", f"Rewrites all of {node.relname} under a lock.", place_of(node))
    reader.warn("blocking-lock", f"Locks {node.relname} against all use while it runs.", place_of(node))


def _is_partitioned(relation: Relation | None) -> bool:
    return relation is not None and relation.kind is RelationKind.PARTITIONED


def reindex(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.ADMIN)
    concurrently = any(option.defname == "concurrently" and is_on(option.arg) for option in node.params or ())
    alone = node.kind in (ReindexObjectType.REINDEX_OBJECT_INDEX, ReindexObjectType.REINDEX_OBJECT_TABLE)
    relation = None
    if node.kind == ReindexObjectType.REINDEX_OBJECT_TABLE:
        relation = reader.define(node.relation, use=Use.LOCK)
    reader.outside_transaction |= concurrently or not alone or _is_partitioned(relation)
    if not concurrently:
        what, place = (node.relation.relname, place_of(node.relation)) if alone else (node.name or "all of it", None)
        reader.warn("blocking-lock", f"Locks what {what} belongs to against writes.", place)
