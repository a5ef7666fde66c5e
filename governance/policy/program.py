"""From policy text to a program that can be asked: parsed once, checked, with its annotations read. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cedarpy
from cedarpy import pst

from governance.kept import Kept
from governance.policy.annotations import AnnotationError, Annotations, Parking, Scope, read_annotations
from governance.policy.problems import Fragment, PolicyError, PolicyProblem, excess_of, split_policies
from governance.policy.words import CONTEXT_WORDS, ENTITY_WORDS

FOLLOWS = "unable to find an applicable action given the policy scope constraints"
MAX_TEXT = 1_000_000
# What a policy reads that changes while the statement does not: a decision that rests on one must not be kept.
CHANGES_BY_ITSELF = frozenset({"hour", "weekday", "estimatedRows"})
CONTEXT = (
    *("kinds", "uses", "hazards", "functions", "unread", "unknown", "byKey", "rowsInserted", "written"),
    *("estimatedRows", "risk"),
    *("environment", "door", "purpose", "onBehalfOf", "hasRun", "hour", "weekday", "datasource", "minutes"),
)
_CONTEXT_VARIABLE = pst.Var(name="context")
_COMPARISONS = frozenset({"eq", "not_eq", "contains", "contains_all", "contains_any"})


@cache
def schema() -> Any:
    return cedarpy.Schema.from_str(Path(__file__).with_name("schema.cedarschema").read_text())


@dataclass(frozen=True, slots=True)
class Policy:
    """`reads`: the context attributes that its conditions name; `reads_whole`: they use `context` itself, too. `node` is
    the policy as Cedar's parser read it."""

    permits: bool
    notes: Annotations
    reads: frozenset[str]
    reads_whole: bool
    line: int
    node: pst.Template

    @property
    def id(self) -> str:
        return self.notes.id

    @property
    def parking(self) -> Parking | None:
        return self.notes.parking


@dataclass(frozen=True, slots=True, eq=False)
class PolicyProgram:
    """`policies` is keyed by Cedar's own ids. `whole` holds all policies, `unbraked` all but the reviews.

    `reads` are the context attributes that any policy looks at; `named` the ids of the entities that any policy names, by type.
    """

    version: int
    text: str
    policies: Mapping[str, Policy]
    whole: Any
    unbraked: Any
    reads: frozenset[str]
    named: Mapping[str, frozenset[str]]
    # Cedar's answers to questions that were put before: they follow from the question and the policies alone.
    kept: Kept[list[cedarpy.AuthzResult]] = field(default_factory=lambda: Kept(4096))

    @property
    def changes_by_itself(self) -> bool:
        """The same question may be answered differently later, so answers must not be cached."""
        return bool(self.reads & CHANGES_BY_ITSELF)


def compile_policy_set(text: str, version: int = 0) -> PolicyProgram:
    """Raises `PolicyError` with every problem that was found."""
    if len(text) > MAX_TEXT:
        raise PolicyError([PolicyProblem(1, "", f"the text is longer than {MAX_TEXT:,} characters")])
    fragments = split_policies(text)
    if excesses := [PolicyProblem(one.line, "", excess) for one in fragments if (excess := excess_of(one))]:
        raise PolicyError(excesses)
    parsed = _parse(text, fragments)
    _validate(text, parsed, fragments)
    policies = _read_policies(parsed, fragments)
    reviews = {key for key, policy in policies.items() if policy.parking}
    unbraked = {key: node for key, node in parsed.static_policies.items() if key not in reviews}
    return PolicyProgram(
        version=version,
        text=text,
        policies=policies,
        whole=cedarpy.PolicySet.from_pst(parsed),
        unbraked=cedarpy.PolicySet.from_pst(dataclasses.replace(parsed, static_policies=unbraked)),
        reads=_all_reads(policies.values()),
        named=_ids_by_type(parsed.static_policies),
    )


def _parse(text: str, fragments: tuple[Fragment, ...]) -> pst.PolicySet:
    try:
        return cedarpy.policies_to_pst(text)
    except ValueError as whole_error:
        problems = [problem for fragment in fragments if (problem := _parse_problem(fragment))]
        raise PolicyError(problems or [PolicyProblem(1, "", str(whole_error))]) from None


def _parse_problem(fragment: Fragment) -> PolicyProblem | None:
    try:
        cedarpy.policies_to_pst(fragment.text)
    except ValueError as error:
        return PolicyProblem(fragment.line, "", str(error))
    return None


def _validate(text: str, parsed: pst.PolicySet, fragments: tuple[Fragment, ...]) -> None:
    if parsed.templates:
        raise PolicyError(
            _problem(
                key, parsed.templates, fragments, "?principal and ?resource have no place here: write the policy out"
            )
            for key in parsed.templates
        )
    result = cedarpy.validate_policies(text, schema())
    if not result.validation_passed:
        raise PolicyError(
            _problem(error.policy_id, parsed.static_policies, fragments, _without_prefix(error.error, error.policy_id))
            for error in _telling(result.errors)
        )


def _telling(errors: Sequence[Any]) -> list[Any]:
    """Without what Cedar says besides, of a policy that names something that there is not."""
    explained = {error.policy_id for error in errors if FOLLOWS not in error.error}
    return [error for error in errors if FOLLOWS not in error.error or error.policy_id not in explained]


def _without_prefix(message: str, key: str) -> str:
    return message.removeprefix(f"for policy `{key}`, ")


def _problem(
    key: str, nodes: Mapping[str, pst.Template], fragments: tuple[Fragment, ...], reason: str
) -> PolicyProblem:
    annotations = nodes[key].annotations if key in nodes else {}
    return PolicyProblem(_line_of(key, fragments), annotations.get("id", ""), reason)


def _line_of(key: str, fragments: tuple[Fragment, ...]) -> int:
    """Cedar numbers policies in the order of the text: policy0 is the first fragment."""
    number = key.removeprefix("policy")
    return fragments[int(number)].line if number.isdigit() and int(number) < len(fragments) else 1


def _read_policies(parsed: pst.PolicySet, fragments: tuple[Fragment, ...]) -> dict[str, Policy]:
    policies: dict[str, Policy] = {}
    problems: list[PolicyProblem] = []
    seen: dict[str, int] = {}
    for key, node in parsed.static_policies.items():
        line = _line_of(key, fragments)
        problems += [PolicyProblem(line, node.annotations.get("id", ""), reason) for reason in _strange_words(node)]
        try:
            notes = read_annotations(node.annotations, node.effect, scope_of(node))
        except AnnotationError as error:
            problems.append(PolicyProblem(line, node.annotations.get("id", ""), str(error)))
            continue
        if notes.id in seen:
            problems.append(PolicyProblem(line, notes.id, f"the id is taken by the policy on line {seen[notes.id]}"))
        seen.setdefault(notes.id, line)
        reads, reads_whole = _context_reads(node)
        policies[key] = Policy(node.effect == "permit", notes, reads, reads_whole, line, node)
    if problems:
        raise PolicyError(problems)
    return policies


def _all_reads(policies: Collection[Policy]) -> frozenset[str]:
    if any(policy.reads_whole for policy in policies):
        return frozenset(CONTEXT)
    return frozenset().union(*(policy.reads for policy in policies))


def scope_of(node: pst.Template) -> Scope:
    return Scope(_actions(node.action), _bounds_rows(node.resource))


def _actions(action: pst.ActionConstraint) -> frozenset[str] | None:
    match action:
        case pst.ActionEq(entity=entity):
            return frozenset({entity.id})
        case pst.ActionIn(entities=entities):
            return frozenset(entity.id for entity in entities)
    return None


def _bounds_rows(resource: pst.PrincipalOrResourceConstraint) -> bool:
    match resource:
        case pst.ScopeEq(entity=pst.EntityUid(type=kind)):
            return kind.basename == "Table"
        case pst.ScopeIn(entity=pst.EntityUid(type=kind)) | pst.ScopeIsIn(entity=pst.EntityUid(type=kind)):
            return kind.basename in ("Table", "Schema", "DataSource")
    return False


def walk(root: object) -> Iterator[object]:
    """Every node below `root`; with a stack, since `a && b && …` nests as deep as it is long."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Mapping):
            stack.extend(node.values())
        elif dataclasses.is_dataclass(node):
            stack.extend(getattr(node, field.name) for field in dataclasses.fields(node))


def entities_named(root: object) -> Iterator[pst.EntityUid]:
    return (node for node in walk(root) if isinstance(node, pst.EntityUid))


def _ids_by_type(root: object) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for uid in entities_named(root):
        found.setdefault(uid.type.basename, set()).add(uid.id)
    return {kind: frozenset(ids) for kind, ids in found.items()}


def _context_reads(node: pst.Template) -> tuple[frozenset[str], bool]:
    """The attributes taken from `context` by name, and whether `context` is used in any other way as well."""
    reads: set[str] = set()
    by_name = total = 0
    for part in walk(node):
        if isinstance(part, pst.GetAttr) and part.base == _CONTEXT_VARIABLE:
            reads.add(part.attr)
            by_name += 1
        elif isinstance(part, pst.HasAttr) and part.base == _CONTEXT_VARIABLE:
            reads.update(part.attrs)
            by_name += 1
        elif part == _CONTEXT_VARIABLE:
            total += 1
    return frozenset(reads), by_name < total


def _strange_words(node: pst.Template) -> Iterator[str]:
    for uid in entities_named(node):
        known = ENTITY_WORDS.get(uid.type.basename)
        if known is not None and uid.id not in known:
            yield f'{uid.type.basename}::"{uid.id}" does not exist; known are {", ".join(sorted(known))}'
    for part in walk(node):
        if isinstance(part, pst.BinaryOp) and part.op in _COMPARISONS:
            yield from _strange_comparison(part.left, part.right)
            yield from _strange_comparison(part.right, part.left)


def _strange_comparison(attribute: object, value: object) -> Iterator[str]:
    if not isinstance(attribute, pst.GetAttr) or attribute.attr not in CONTEXT_WORDS:
        return
    known = CONTEXT_WORDS[attribute.attr]
    for literal in walk(value):
        if isinstance(literal, pst.StringLit) and literal.value not in known:
            yield f'"{literal.value}" is never in {attribute.attr}; known are {", ".join(sorted(known))}'
