"""A policy set as cards: one a policy, with what it says in words, under the headings that its comments give. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import cedarpy
from cedarpy import pst

from governance.policy.problems import Fragment, excess_of, split_policies

Effect = Literal["permit", "review", "forbid"]
EFFECTS: tuple[Effect, ...] = ("permit", "review", "forbid")

_HEADING = re.compile(r"//\s*-{3,}\s*(?P<title>.*?)\s*-*\s*\Z")
# Shown elsewhere on a card: as its name, its words and its effect.
_ELSEWHERE = frozenset({"id", "message", "remedy", "review", "quorum", "expires", "escalate_after"})
_UNITS = {"m": "min", "h": "h", "d": "d"}
_VERBS = {
    "write": "write to {}",
    "unmask": "see {} unmasked",
    "approve": "approve statements for {}",
    "activate": "put policies into force",
    "elevate": "count as a member of {} for a while",
    "break_glass": "break the glass on {}",
}
_PLURALS = {
    "User": "people",
    "Agent": "agents",
    "Group": "groups",
    "DataSource": "data sources",
    "Schema": "schemas",
    "Table": "tables",
    "Column": "columns",
    "DataClass": "classes of data",
}
_SINGULARS = {
    "User": "person",
    "Agent": "agent",
    "Group": "group",
    "DataSource": "data source",
    "Schema": "schema",
    "Table": "table",
    "Column": "column",
    "DataClass": "class",
}


class NotReadable(ValueError):
    """The text is no Cedar; it can only be shown as it is."""


@dataclass(frozen=True, slots=True)
class Card:
    """`actions` is empty where the policy is about every action; `notes` are annotations in words."""

    id: str
    effect: Effect
    line: int
    comment: str
    text: str
    message: str
    remedy: str
    parking: str
    who: str
    actions: tuple[str, ...]
    what: str
    is_conditional: bool
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What it says, without its condition."""
        verbs = [_VERBS.get(action, f"{action} {{}}") for action in self.actions] or ["do anything with {}"]
        deed = " or ".join(verb.format(self.what) for verb in verbs)
        if self.effect == "review":
            return f"For {self.who}: to {deed} needs {self.parking}"
        return f"{'Permits' if self.effect == 'permit' else 'Forbids'} {self.who} to {deed}"


@dataclass(frozen=True, slots=True)
class Section:
    """`number` tells sections apart that have the same title; `comment` stands below the heading."""

    number: int
    title: str
    comment: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter over cards; what is empty does not filter."""

    effect: str = ""
    action: str = ""
    text: str = ""

    def fits(self, card: Card) -> bool:
        text = f"{card.id}\n{card.comment}\n{card.text}".casefold()
        return (
            self.effect in ("", card.effect)
            and (not self.action or not card.actions or self.action in card.actions)
            and self.text.casefold() in text
        )


def read_sections(text: str) -> tuple[Section, ...]:
    """In the order of the text. Raises `NotReadable`."""
    text = text.replace("\r\n", "\n")
    fragments = split_policies(text)
    nodes = _parsed(text, fragments)
    sections: list[tuple[str, str, list[Card]]] = [("", "", [])]
    end = 0
    for number, fragment in enumerate(fragments):
        start = text.index(fragment.text, end)
        sections += [(title, comment, []) for title, comment in _headings(text[end:start])]
        card = _card(nodes[f"policy{number}"], fragment.text, fragment.line, _comment_above(text[end:start]))
        sections[-1][2].append(card)
        end = start + len(fragment.text)
    numbered = (
        Section(number, title, comment, tuple(found)) for number, (title, comment, found) in enumerate(sections)
    )
    return tuple(section for section in numbered if section.cards)


def filtered(sections: Iterable[Section], wanted: Wanted) -> tuple[Section, ...]:
    """The cards that fit; sections without any are left out."""
    kept = (replace(section, cards=tuple(filter(wanted.fits, section.cards))) for section in sections)
    return tuple(section for section in kept if section.cards)


def _parsed(text: str, fragments: Iterable[Fragment]) -> Mapping[str, pst.Template]:
    if excess := next(filter(None, map(excess_of, fragments)), None):
        raise NotReadable(excess)
    try:
        return cedarpy.policies_to_pst(text).static_policies
    except ValueError as error:
        raise NotReadable(str(error)) from error


# --- Comments -----------------------------------------------------------------------------------------------------


def _paragraphs(filler: str) -> list[list[str]]:
    """Runs of comment lines between empty lines."""
    found: list[list[str]] = [[]]
    for line in map(str.strip, filler.split("\n")):
        if line:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return found


def _headings(filler: str) -> list[tuple[str, str]]:
    """`// --- Title ---` opens a section; comments right below it, set apart from the policy, belong to it."""
    paragraphs = _paragraphs(filler)
    return [
        (match["title"], _plain(paragraph[1:]))
        for paragraph in paragraphs
        if paragraph and (match := _HEADING.match(paragraph[0])) and match["title"]
    ]


def _comment_above(filler: str) -> str:
    """The comment that ends on the line above the policy; one that an empty line separates is not about it."""
    last = _paragraphs(filler + ".")[-1][:-1]
    return "" if last and _HEADING.match(last[0]) else _plain(last)


def _plain(comments: Iterable[str]) -> str:
    return " ".join(comment.removeprefix("//").strip() for comment in comments)


# --- Words --------------------------------------------------------------------------------------------------------


def _card(node: pst.Template, text: str, line: int, comment: str) -> Card:
    notes = node.annotations
    return Card(
        id=notes.get("id", f"line {line}"),
        effect="permit" if node.effect == "permit" else "review" if "review" in notes else "forbid",
        line=line,
        comment=comment,
        text=text,
        message=notes.get("message", ""),
        remedy=notes.get("remedy", ""),
        parking=_parking(notes),
        who=_scope(node.principal, "everyone"),
        actions=_actions(node.action),
        what=_scope(node.resource, "everything"),
        is_conditional=bool(node.clauses),
        notes=tuple(_note(name, value, notes) for name, value in notes.items() if name not in _ELSEWHERE),
    )


def _parking(notes: Mapping[str, str]) -> str:
    """`2 of group dba, within 4 h`."""
    if "review" not in notes:
        return ""
    return f"{notes.get('quorum', '1')} of group {notes['review']}, within {_time(notes.get('expires', '4h'))}"


def _time(value: str) -> str:
    """`4 h`."""
    return f"{value[:-1]} {_UNITS.get(value[-1:], '')}"


def _note(name: str, value: str, notes: Mapping[str, str]) -> str:
    match name:
        case "stage":
            return f"in stage {value}, once the stages before it have approved"
        case "escalate_to":
            return f"group {value} may stand in after {_time(notes.get('escalate_after', ''))}"
        case "remind":
            return f"who has not decided is told again after {_time(value)}"
        case "step_up":
            return f"whoever approves has shown a second factor within {_time(value)}"
        case "window":
            return f"runs only within {value}"
        case "grantable":
            return f"a review may give more runs, for {_time(value)} at most"
        case "hold":
            return "a session may wait although its transaction holds locks"
        case "limit_rows":
            return f"at most {value} rows"
        case "mask":
            return f"shown under the mask {value}"
        case "row_filter":
            return f"only rows where {value}"
    return f'@{name}("{value}")'


def _actions(action: object) -> tuple[str, ...]:
    match action:
        case pst.ActionEq(entity=entity):
            return (entity.id,)
        case pst.ActionIn(entities=entities):
            return tuple(entity.id for entity in entities)
    return ()


def _scope(scope: object, anything: str) -> str:
    match scope:
        case pst.ScopeEq(entity=pst.EntityUid() as entity):
            return f"{_word(_SINGULARS, entity.type)} {entity.id}"
        case pst.ScopeIn(entity=pst.EntityUid() as entity):
            return f"{_word(_SINGULARS, entity.type)} {entity.id}"
        case pst.ScopeIs(entity_type=kind):
            return _word(_PLURALS, kind)
        case pst.ScopeIsIn(entity_type=kind, entity=pst.EntityUid() as entity):
            return f"{_word(_PLURALS, kind)} of {_word(_SINGULARS, entity.type)} {entity.id}"
    return anything


def _word(words: Mapping[str, str], kind: pst.EntityType) -> str:
    return words.get(kind.basename, kind.basename)
