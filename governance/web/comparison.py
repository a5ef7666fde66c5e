"""Two policy texts beside each other: the lines that differ with some around them, coloured as Cedar. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from django.utils.safestring import SafeString

from governance.policy.changes import PolicyChange, changes_between
from governance.policy.problems import PolicyError
from governance.policy.program import compile_policy_set
from governance.web import cedar_markup

AROUND = 3
Mark = Literal["same", "removed", "added", "gap"]


@dataclass(frozen=True, slots=True)
class Row:
    """`old` and `new` are line numbers, None where the line is not there; a gap stands for lines that are left out."""

    mark: Mark
    old: int | None = None
    new: int | None = None
    html: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    rows: tuple[Row, ...]
    added: int
    removed: int

    @property
    def is_same(self) -> bool:
        return not self.added and not self.removed


def compare(old: str, new: str) -> Comparison:
    before, after = _lines(old), _lines(new)
    shown = cedar_markup.lines("\n".join(before)), cedar_markup.lines("\n".join(after))
    rows: list[Row] = []
    for number, group in enumerate(SequenceMatcher(None, before, after).get_grouped_opcodes(AROUND)):
        if number or group[0][1]:
            rows.append(Row("gap"))
        for kind, *spans in group:
            rows += _rows(kind, (spans[0], spans[1]), (spans[2], spans[3]), shown)
    marks = [row.mark for row in rows]
    return Comparison(tuple(rows), marks.count("added"), marks.count("removed"))


def changed_policies(old: str, new: str) -> tuple[PolicyChange, ...] | None:
    """None where one of the texts is no policy set that can be read today."""
    try:
        return changes_between(compile_policy_set(old), compile_policy_set(new))
    except PolicyError:
        return None


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def _rows(
    kind: str, old: tuple[int, int], new: tuple[int, int], shown: tuple[list[SafeString], list[SafeString]]
) -> Iterator[Row]:
    before, after = shown
    if kind == "equal":
        for one, other in zip(range(*old), range(*new), strict=True):
            yield Row("same", one + 1, other + 1, after[other])
        return
    yield from (Row("removed", one + 1, None, before[one]) for one in range(*old))
    yield from (Row("added", None, other + 1, after[other]) for other in range(*new))
