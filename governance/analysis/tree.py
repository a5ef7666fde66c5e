"""Walking pglast's parse trees. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pglast import ast

# Where a node stands in the text says nothing about what it means.
PLACES = frozenset(
    """
    location rexpr_list_start rexpr_list_end list_start list_end stmt_location stmt_len arg_location name_location
    conninfo_location payload_location
    """.split()
)


def slots(node: ast.Node) -> tuple[str, ...]:
    """The names of a node's fields, which pglast keeps in `__slots__` of each class."""
    return tuple(type(node).__slots__)  # type: ignore[attr-defined]  # not in pglast's stub of the base class


@cache
def slots_of_nodes(kind: Any) -> tuple[str, ...]:
    """Of a class of nodes: those of its slots that can hold nodes, by the C types that pglast tells of them."""
    return tuple(
        name
        for name, slot in kind.__slots__.items()
        if slot.c_type == "ValUnion" or (slot.c_type.endswith("*") and slot.c_type not in ("char*", "Bitmapset*"))
    )


def children(node: ast.Node, skip: tuple[str, ...] = ()) -> list[ast.Node]:
    """The nodes directly below, in the order of PostgreSQL's own fields but those in `skip`; lists are flattened."""
    found: list[ast.Node] = []
    kind: Any = type(node)
    for slot in slots_of_nodes(kind):
        value = getattr(node, slot)
        if value is not None and slot not in skip:
            _add_nodes(value, found)
    return found


def _add_nodes(value: Any, found: list[ast.Node]) -> None:
    if isinstance(value, (tuple, list)):
        for item in value:
            _add_nodes(item, found)
    elif isinstance(value, ast.Node):
        found.append(value)


def descendants(node: ast.Node) -> Iterator[ast.Node]:
    """The node and everything below it, depth first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def same_tree(left: Any, right: Any, instead: Mapping[int, Any] | None = None) -> bool:
    """Whether two trees mean the same: equal in everything but places in the text. `instead` maps the `id()` of a node of
    the left tree to the node that the right one must have in its place."""
    if instead and id(left) in instead:
        return same_tree(instead[id(left)], right)
    if isinstance(left, ast.Node):
        return type(left) is type(right) and all(
            same_tree(getattr(left, slot), getattr(right, slot), instead) for slot in slots(left) if slot not in PLACES
        )
    if isinstance(left, (tuple, list)):
        return (
            isinstance(right, (tuple, list))
            and len(left) == len(right)
            and all(same_tree(a, b, instead) for a, b in zip(left, right, strict=True))
        )
    return bool(left == right)


def place_of(node: ast.Node) -> int | None:
    place = getattr(node, "location", None)
    return place if isinstance(place, int) and place >= 0 else None


def names(parts: Any) -> tuple[str, ...]:
    """The texts of a list of String nodes: `schema.name` as `("schema", "name")`; anything else in it gives `*`."""
    return tuple(str(part.sval) if isinstance(part, ast.String) else "*" for part in parts or ())
