"""Masks on places inside a JSON column (`$.a.b[*].c`): what stands there is masked, the rest of the value stays.

What is missing stays missing, and a JSON null on the way stays. Any other value on the way that has not the shape that the
path expects (text where an object should be, an array where none should) may hold what is meant all the same, and is
redacted whole. At the place itself a text or a number is masked; an object, an array, true and false are redacted whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from governance.catalogue.model import Column
from governance.masking.errors import MaskingImpossible
from governance.masking.masks.json_text import REDACTED, unless_unsafe
from governance.masking.places import BadPlace, Key, Step, parse_place
from governance.masking.types import Family, as_json_string, family_of, quote_name, quote_text
from governance.policy.decision import MaskedColumn

Mask = Callable[[Column, str, str], str]

_TEXT = Column("text", "text", "text")
_NUMERIC = Column("number", "numeric", "numeric")
_JSON_NULL = "'null'::pg_catalog.jsonb"


@dataclass(slots=True)
class _Node:
    """One step of all paths. With a mask, what is below it does not matter."""

    mask: MaskedColumn | None = None
    keys: dict[str, _Node] = field(default_factory=dict)
    elements: dict[int | None, _Node] = field(default_factory=dict)

    def below(self, step: Step) -> _Node:
        if isinstance(step, Key):
            return self.keys.setdefault(step.name, _Node())
        return self.elements.setdefault(step.index, _Node())


def expression(column: Column, masks: Iterable[MaskedColumn], value: str, registry: Mapping[str, Mask]) -> str:
    """`masks` in order of strictness: of two on one place the first counts. Raises `MaskingImpossible`."""
    if family_of(column) is not Family.JSON:
        raise MaskingImpossible(
            f"{column.name} is of type {column.base_type}, in which a class cannot sit on a place.",
            remedy="Ask an administrator to classify the column as a whole.",
        )
    tree = _tree(column, masks)
    shaped = unless_unsafe(column, value, lambda json: _Writer(registry).at(tree, json))
    return f"(CASE WHEN {value} IS NULL THEN NULL ELSE {shaped} END)::{column.base_type}"


def _tree(column: Column, masks: Iterable[MaskedColumn]) -> _Node:
    root = _Node()
    for mask in masks:
        node = root
        try:
            for step in parse_place(mask.path):
                node = node.below(step)
        except BadPlace as error:
            raise MaskingImpossible(f"The place {mask.path!r} in {column.name} is not understood: {error}.") from error
        node.mask = node.mask or mask
    return root


def _merged(one: _Node | None, other: _Node | None) -> _Node:
    """An element is under what is said of it and under what is said of every element."""
    one, other = one or _Node(), other or _Node()
    return _Node(
        one.mask or other.mask,
        {name: _merged(one.keys.get(name), other.keys.get(name)) for name in sorted(one.keys | other.keys)},
        {index: _merged(one.elements.get(index), other.elements.get(index)) for index in one.elements | other.elements},
    )


class _Writer:
    """Writes the expression; elements of nested arrays get names of their own."""

    def __init__(self, registry: Mapping[str, Mask]) -> None:
        self.registry = registry
        self.arrays = 0

    def at(self, node: _Node, value: str) -> str:
        if node.mask is not None:
            return self._masked(node.mask, value)
        branches = [f"WHEN {_is(value, 'null')} THEN {value}"]
        if node.keys:
            branches.append(f"WHEN {_is(value, 'object')} THEN {self._object(node, value)}")
        if node.elements:
            branches.append(f"WHEN {_is(value, 'array')} THEN {self._array(node, value)}")
        return f"(CASE {' '.join(branches)} ELSE {REDACTED} END)"

    def _object(self, node: _Node, value: str) -> str:
        """A key that is not there is not made; a mask that gave NULL would still stand in the place of the value."""
        found = value
        for name, below in sorted(node.keys.items()):
            key = quote_text(name)
            member = f"({value} OPERATOR(pg_catalog.->) {key}::pg_catalog.text)"
            path = f"ARRAY[{key}]::pg_catalog.text[]"
            found = f"pg_catalog.jsonb_set_lax({found}, {path}, {self.at(below, member)}, false, 'use_json_null')"
        return found

    def _array(self, node: _Node, value: str) -> str:
        self.arrays += 1
        name = quote_name(f"@{self.arrays}")
        element, place = f"{name}.{quote_name('@value')}", f"{name}.{quote_name('@place')}"
        every = node.elements.get(None)
        branches = "".join(
            f" WHEN {place} OPERATOR(pg_catalog.=) {index + 1} THEN {self.at(_merged(below, every), element)}"
            for index, below in node.elements.items()
            if index is not None
        )
        other = self.at(every, element) if every else element
        masked = f"CASE{branches} ELSE {other} END" if branches else other
        return (
            f"(SELECT COALESCE(pg_catalog.jsonb_agg(COALESCE({masked}, {_JSON_NULL}) ORDER BY {place}), '[]'::pg_catalog.jsonb)"
            f" FROM pg_catalog.jsonb_array_elements({value}) WITH ORDINALITY"
            f" AS {name}({quote_name('@value')}, {quote_name('@place')}))"
        )

    def _masked(self, mask: MaskedColumn, value: str) -> str:
        if mask.mask == "null":
            return _JSON_NULL
        if mask.mask == "redact":
            return REDACTED
        text = f"({value} OPERATOR(pg_catalog.#>>) '{{}}'::pg_catalog.text[])"
        shaped = as_json_string(self.registry[mask.mask](_TEXT, mask.data_class, text))
        branches = [f"WHEN {_is(value, 'null')} THEN {value}", f"WHEN {_is(value, 'string')} THEN {shaped}"]
        if mask.mask == "partial":
            branches.append(f"WHEN {_is(value, 'number')} THEN {shaped}")
        elif mask.mask in ("bucket", "pseudonym"):
            number = self.registry[mask.mask](_NUMERIC, mask.data_class, f"{text}::pg_catalog.numeric")
            branches.append(f"WHEN {_is(value, 'number')} THEN ({number})::pg_catalog.text::pg_catalog.jsonb")
        return f"COALESCE(CASE {' '.join(branches)} ELSE {REDACTED} END, {_JSON_NULL})"


def _is(value: str, kind: str) -> str:
    return f"pg_catalog.jsonb_typeof({value}) OPERATOR(pg_catalog.=) '{kind}'"
