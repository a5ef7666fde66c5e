"""Reads what shows or changes the session: SHOW, SET, RESET, set_config alone, and what talks to other sessions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import VariableSetKind

from governance.analysis.facts import Kind
from governance.analysis.overlay import TEMPORARY
from governance.analysis.settings import harmless_to_set, harmless_to_show, is_relied_on, schemas_to_search
from governance.analysis.tree import names, place_of, slots_of_nodes
from governance.catalogue.model import RelationKind

if TYPE_CHECKING:
    from governance.analysis.reader import Reader

ESCAPE = "session-escape"
TO_START = (VariableSetKind.VAR_SET_DEFAULT, VariableSetKind.VAR_RESET)


def show(reader: Reader, node: Any) -> None:
    name = str(node.name)
    if harmless_to_show(name):
        reader.kinds.add(Kind.READ)
        return
    reader.kinds.add(Kind.SESSION)
    reader.warn(ESCAPE, f"SHOW {name} would tell what is not known to be harmless.")
    if is_relied_on(name):
        reader.not_understood(f"SHOW {name}", "it shows settings that are nobody's to see", final=True)


def set_variable(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.SESSION)
    if node.kind == VariableSetKind.VAR_SET_MULTI:
        return _set_transaction(reader, node)
    name = str(node.name or "all")
    if node.kind in TO_START:
        return _judge(reader, name, harmless_to_set(name, None))
    values = [plain_value(argument) for argument in node.args or ()]
    if node.kind != VariableSetKind.VAR_SET_VALUE or None in values or not values:
        return _judge(reader, name, False)
    texts = [value for value in values if value is not None]
    if name.lower() == "search_path":
        return _set_path(reader, texts, place_of(node))
    return _judge(reader, name, harmless_to_set(name, ", ".join(texts)))


def _judge(reader: Reader, name: str, harmless: bool) -> None:
    if not harmless:
        reader.warn(ESCAPE, f"Sets {name} to what is not known to be harmless to governance.")
        if is_relied_on(name):
            reader.not_understood(f"SET {name}", "what statements mean and what masks hold follows from it", final=True)


def _set_transaction(reader: Reader, node: Any) -> None:
    """SET TRANSACTION, and SET SESSION CHARACTERISTICS AS TRANSACTION; a snapshot comes from another session."""
    options = [(str(part.defname), plain_value(part.arg)) for part in node.args or () if isinstance(part, ast.DefElem)]
    if not options:
        return _judge(reader, str(node.name).lower(), False)
    for name, value in options:
        _judge(reader, name, value is not None and harmless_to_set(name, value))
    return None


def _set_path(reader: Reader, schemas: list[str], place: int | None) -> None:
    """Later statements of the text are resolved by it, exactly as the database will."""
    path = schemas_to_search(schemas, reader.catalogue.schemas)
    if path is None:
        reader.warn(ESCAPE, "Sets a search path that cannot be followed.", place)
        why = "it must name schemas of the catalogue, pg_catalog at most first, and not $user"
        return reader.not_understood("SET search_path", why, place, final=True)
    made = [(schema, reader.catalogue.relations[schema, name].kind) for schema, name in reader.earlier.made]
    if TEMPORARY not in path and any(schema == TEMPORARY for schema, _ in made):
        why = "temporary relations would be found before all others: name pg_temp last in it"
        reader.not_understood("SET search_path", why, place, final=True)
    if any(kind is RelationKind.VIEW for _, kind in made):
        why = "a view that this text made means the relations of the old path"
        reader.not_understood("SET search_path", why, place, final=True)
    reader.changes.search_path = path
    return None


def set_config_alone(node: Any) -> ast.VariableSetStmt | None:
    """`SELECT set_config('name', 'value', …)` and nothing else is a SET: it can be followed where a call among others, whose
    effect would set in somewhere on the way, cannot."""
    targets: tuple[Any, ...] = tuple(node.targetList or ())
    others = (getattr(node, slot) for slot in slots_of_nodes(ast.SelectStmt) if slot != "targetList")
    if len(targets) != 1 or any(others):
        return None
    call = getattr(targets[0], "val", None)
    if not isinstance(call, ast.FuncCall) or names(call.funcname) not in (
        ("set_config",),
        ("pg_catalog", "set_config"),
    ):
        return None
    arguments = call.args or ()
    if len(arguments) != 3 or not all(isinstance(argument, ast.A_Const) for argument in arguments):
        return None
    name, value, _ = map(plain_value, arguments)
    if name is None or value is None:
        return None
    values = split_path(value) if name.lower() == "search_path" else [value]
    if values is None:
        return None
    args = tuple(ast.A_Const(val=ast.String(sval=one), isnull=False) for one in values)
    return ast.VariableSetStmt(kind=VariableSetKind.VAR_SET_VALUE, name=name, args=args)


def split_path(value: str) -> list[str] | None:
    """A list of identifiers as PostgreSQL splits it; quoted ones are left to it."""
    if '"' in value:
        return None
    return [part.strip().lower() for part in value.split(",")]


def plain_value(node: Any) -> str | None:
    """Of a constant, as SET would take it."""
    if not isinstance(node, ast.A_Const) or node.isnull:
        return None
    value = node.val
    if isinstance(value, ast.Integer):
        return str(value.ival or 0)
    if isinstance(value, ast.Boolean):
        return "on" if value.boolval else "off"
    return str(getattr(value, "sval", None) or getattr(value, "fval", None) or "")


def is_on(node: Any) -> bool:
    """Of an option's value: none, or one that is not plainly off, means on."""
    if isinstance(node, ast.Integer):
        return bool(node.ival)
    if isinstance(node, ast.Boolean):
        return bool(node.boolval)
    return not isinstance(node, ast.String) or str(node.sval).lower() not in ("off", "false")


def talks(reader: Reader, node: Any) -> None:
    reader.kinds.add(Kind.SESSION)
    words = type(node).__name__.removesuffix("Stmt").upper()
    reader.warn(ESCAPE, f"{words} passes messages between sessions, past what is governed.")


def discard(reader: Reader, _node: ast.Node) -> None:
    reader.kinds.add(Kind.SESSION)
    reader.warn(ESCAPE, "DISCARD forgets what the session was set up with.")
