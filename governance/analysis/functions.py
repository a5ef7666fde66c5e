"""What calling a name may do, worked out once for each catalogue: all overloads that PostgreSQL may choose from, together.

Which overload it takes depends on types that are not worked out here, so each of them counts. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from governance.analysis.builtins import SYSTEM_SCHEMAS, WRITES, danger_of, is_computation
from governance.analysis.facts import FunctionUse
from governance.catalogue.model import Catalogue, Function, Volatility

NO_FUNCTION = "there is no such function in the catalogue"
NO_OPERATOR = "there is no such operator in the catalogue"
NO_TYPE = "there is no such type in the catalogue"
NO_RELATION = "there is no such relation in the catalogue"
# What may be found once the catalogue has been read anew.
NOT_IN_CATALOGUE = frozenset({NO_RELATION, NO_FUNCTION, NO_OPERATOR, NO_TYPE})


@dataclass(frozen=True, slots=True)
class Danger:
    """`hazard` is empty where being unread is all that is wrong with it."""

    shown: str
    why: str
    hazard: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`bodies`: overloads in SQL, which are read before more can be said."""

    uses: frozenset[FunctionUse]
    dangers: tuple[Danger, ...] = ()
    writes: bool = False
    bodies: tuple[Function, ...] = ()

    @property
    def is_harmless(self) -> bool:
        return not (self.dangers or self.writes or self.bodies)


def verdict_of(catalogue: Catalogue, schema: str | None, name: str) -> Verdict | None:
    """None where there is no such function. Only names that exist are kept: there is no end to those that do not."""
    if name not in catalogue.functions or (schema is not None and schema not in _schemas_of(catalogue, name)):
        return None
    return catalogue.once(("verdict", schema, name), lambda: _verdict(candidates(catalogue, schema, name)))


def _schemas_of(catalogue: Catalogue, name: str) -> frozenset[str]:
    return frozenset(function.schema for function in catalogue.functions.get(name, ()))


def candidates(catalogue: Catalogue, schema: str | None, name: str) -> tuple[Function, ...]:
    visible = {schema} if schema else {"pg_catalog", *catalogue.search_path}
    return tuple(function for function in catalogue.functions.get(name, ()) if function.schema in visible)


def verdict_of_operator(catalogue: Catalogue, schema: str | None, symbol: str) -> Verdict | None:
    """Of those that users and extensions defined: each is judged like a call of its function. None where there is none."""
    if not any(schema in (None, operator.schema) for operator in catalogue.operators.get(symbol, ())):
        return None
    return catalogue.once(("operator", schema, symbol), lambda: _operator_verdict(catalogue, schema, symbol))


def use_of(function: Function) -> FunctionUse:
    return FunctionUse(
        function.schema, function.name, function.volatility.value, function.language, function.security_definer
    )


def _verdict(overloads: tuple[Function, ...]) -> Verdict | None:
    if not overloads:
        return None
    readable = tuple(function for function in overloads if is_readable(function))
    return Verdict(
        uses=frozenset(use_of(function) for function in overloads),
        dangers=tuple(dict.fromkeys(d for f in overloads if f not in readable and (d := danger(f)))),
        writes=any(function.schema == "pg_catalog" and function.name in WRITES for function in overloads),
        bodies=readable,
    )


def is_readable(function: Function) -> bool:
    return function.language == "sql" and function.kind == "f" and function.body is not None


def danger(function: Function) -> Danger | None:
    """Of a function whose body is not read."""
    if is_computation(function):
        return None
    shown = f"{function.qualified}()"
    if function.schema not in SYSTEM_SCHEMAS:
        how = "runs with its owner's rights" if function.security_definer else f"is written in {function.language}"
        hazard = "security-definer" if function.security_definer else ""
        return Danger(shown, f"it is a function of this database and {how}; its body is not read", hazard)
    if found := danger_of(function):
        code, why = found
        return Danger(shown, why, code)
    return None


def _operator_verdict(catalogue: Catalogue, schema: str | None, symbol: str) -> Verdict | None:
    visible = {schema} if schema else {"pg_catalog", *catalogue.search_path}
    own = [operator for operator in catalogue.operators.get(symbol, ()) if operator.schema in visible]
    if not own:
        return None
    found = [verdict for operator in own if (verdict := _of_function(catalogue, *operator.function))]
    return Verdict(
        uses=frozenset[FunctionUse]().union(*(verdict.uses for verdict in found)),
        dangers=tuple(dict.fromkeys(danger for verdict in found for danger in verdict.dangers)),
        bodies=tuple(dict.fromkeys(function for verdict in found for function in verdict.bodies)),
    )


def _of_function(catalogue: Catalogue, schema: str, name: str) -> Verdict | None:
    overloads = candidates(catalogue, schema, name)
    compiled = bool(overloads) and all(map(only_computes, overloads))
    return Verdict(frozenset(map(use_of, overloads))) if compiled else _verdict(overloads)


def only_computes(function: Function) -> bool:
    """Of an operator or a cast: in C and not volatile. Else `%` could not be used beside pg_trgm, which reads a threshold."""
    compiled = function.language == "c" and function.schema != "pg_catalog"
    return compiled and function.volatility is not Volatility.VOLATILE and not function.security_definer
