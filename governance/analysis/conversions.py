"""Code that runs because values change their type: checks of domains, and functions of casts that users defined. Pure.

Much of it happens without a word in the text, so all of it counts once the types that it needs are in play: by the columns
of the relations, by the functions that are called, or by name. What compiled extensions convert only computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.analysis.effects import facts_of_expression, is_plain, join_effect
from governance.analysis.facts import WRITING_USES, Facts
from governance.analysis.functions import candidates, only_computes
from governance.catalogue.model import Catalogue, RelationName

if TYPE_CHECKING:
    from governance.analysis.reader import Reader

# While conversions are looked into, statements in them are read, which asks for conversions again.
_working_out: ContextVar[bool] = ContextVar("conversions are being worked out", default=False)


@dataclass(frozen=True, slots=True)
class Risk:
    """Something that runs when values of these types meet. `explicit`: only where the target is written down; `on_writing`:
    only where such columns are written; `is_call`: whoever wrote the statement may have asked for it, as with a call."""

    what: str
    types: tuple[RelationName, ...]
    target: RelationName
    facts: tuple[Facts | None, ...]
    explicit: bool = False
    on_writing: bool = False
    is_call: bool = False


def judge_types(reader: Reader) -> None:
    suspects = reader.catalogue.once("suspect types", lambda: _suspects(reader.catalogue))
    if not suspects:
        return
    named = {_resolved(reader.catalogue, parts) for parts in reader.named_types}
    if _working_out.get():
        for name in named & suspects & reader.catalogue.types.keys():
            reader.not_understood(f"type {'.'.join(name)}", "conversions inside conversions are not followed")
        return
    left = list(_risks(reader.catalogue))
    while found := [risk for risk in left if _is_in_play(risk, reader, named)]:
        left = [risk for risk in left if risk not in found]
        for risk in found:
            for facts in risk.facts:
                join_effect(reader, facts, risk.what, None, is_call=risk.is_call)


def _is_in_play(risk: Risk, reader: Reader, named: set[RelationName]) -> bool:
    written, read = _types_of_columns(reader)
    needed = {name for name in risk.types if name in reader.catalogue.types}
    there = named | written | _types_of_functions(reader) | (set() if risk.on_writing else read)
    return needed <= there and (not risk.explicit or risk.target in named)


def _suspects(catalogue: Catalogue) -> frozenset[RelationName]:
    """Types into or out of which a conversion may run code that is more than a computation."""
    domains = {name for name, type_ in catalogue.types.items() if type_.checks}
    casts = [cast for cast in catalogue.casts if not all(map(only_computes, candidates(catalogue, *cast.function)))]
    return frozenset(domains | {type_name_of(text) for cast in casts for text in (cast.source, cast.target)})


def _risks(catalogue: Catalogue) -> tuple[Risk, ...]:
    def work_out() -> tuple[Risk, ...]:
        token = _working_out.set(True)
        try:
            return _risky(catalogue)
        finally:
            _working_out.reset(token)

    return catalogue.once("risky types", work_out)


def _risky(catalogue: Catalogue) -> tuple[Risk, ...]:
    return (*_domains(catalogue), *_casts(catalogue))


def _domains(catalogue: Catalogue) -> Iterator[Risk]:
    for name, type_ in catalogue.types.items():
        checks = [facts_of_expression(check, catalogue) for check in type_.checks]
        if risky := tuple(facts for facts in checks if facts is None or not is_plain(facts)):
            yield Risk(f"the domain {'.'.join(name)}", (name,), name, risky, on_writing=True)


def _casts(catalogue: Catalogue) -> Iterator[Risk]:
    for cast in catalogue.casts:
        if all(map(only_computes, candidates(catalogue, *cast.function))):
            continue
        call = ".".join('"' + part.replace('"', '""') + '"' for part in cast.function)
        source, target = type_name_of(cast.source), type_name_of(cast.target)
        yield Risk(
            f"the cast from {cast.source} to {cast.target}",
            (source, target),
            target,
            (facts_of_expression(f"{call}(NULL)", catalogue),),
            explicit=cast.context == "e",
            on_writing=cast.context == "a",
            is_call=True,
        )


def _types_of_columns(reader: Reader) -> tuple[set[RelationName], set[RelationName]]:
    """Of the relations that are written, and of all."""
    written: set[RelationName] = set()
    every: set[RelationName] = set()
    for use in reader.relations:
        relation = reader.catalogue.relations.get((use.schema, use.name))
        types = {type_name_of(column.type) for column in relation.columns} if relation else set()
        every |= types
        if use.use in WRITING_USES:
            written |= types
    return written, every


def _types_of_functions(reader: Reader) -> set[RelationName]:
    found: set[RelationName] = set()
    for use in reader.functions:
        if use.schema != "pg_catalog":
            for function in candidates(reader.catalogue, use.schema, use.name):
                found.update(map(type_name_of, (*function.arguments, function.result.removeprefix("SETOF "))))
    return found


def _resolved(catalogue: Catalogue, parts: tuple[str, ...]) -> RelationName:
    if len(parts) > 1:
        return parts[-2], parts[-1]
    return next(
        ((s, parts[0]) for s in catalogue.search_path if (s, parts[0]) in catalogue.types), ("pg_catalog", parts[0])
    )


def type_name_of(text: str) -> RelationName:
    """`public.code[]` as `("public", "code")`; what has no schema is PostgreSQL's own."""
    parts: list[str] = []
    quoted, part = False, ""
    for character in text:
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append(part)
            part = ""
        elif character in "[(" and not quoted:
            break
        else:
            part += character
    return (parts[-1] if parts else "pg_catalog"), part.strip()
