"""Places inside a JSON column: `$.a.b[*].c`. Pure.

Only steps whose meaning is plain: `.key`, `."quoted key"` (a double quote inside is doubled), `[*]` every element, `[0]` one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 300
EXAMPLES = '$.address.street, $.orders[*].phone or $."odd key"'


class BadPlace(ValueError):
    """Says where the path stops making sense, for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Key:
    name: str


@dataclass(frozen=True, slots=True)
class Element:
    """`index` None: every element."""

    index: int | None


Step = Key | Element

_STEP = re.compile(
    r'\.(?P<key>[^\W\d][\w$]*)|\."(?P<quoted>(?:[^"\\\x00]|"")+)"|\[(?:(?P<every>\*)|(?P<index>\d{1,9}))\]', re.ASCII
)
_PLAIN = re.compile(r"[^\W\d][\w$]*", re.ASCII)


def parse_place(text: str) -> tuple[Step, ...]:
    """Raises `BadPlace`. Never empty."""
    if not text.startswith("$"):
        raise BadPlace("a path begins with $, such as " + EXAMPLES)
    if len(text) > LONGEST:
        raise BadPlace(f"a path has at most {LONGEST} characters")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise BadPlace(
                f'what follows {text[:at]} is not understood: {text[at : at + 20]!r}. A step is .key, ."quoted key",'
                " [*] or [0]; keys with anything but ASCII letters, digits, _ and $ are quoted, and none holds a backslash"
            )
        steps.append(_step(found))
        at = found.end()
    if not steps:
        raise BadPlace("$ alone is the whole column: leave the path out")
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["key"] or found["quoted"]:
        return Key(found["key"] or found["quoted"].replace('""', '"'))
    return Element(None if found["every"] else int(found["index"]))


def write_place(steps: tuple[Step, ...]) -> str:
    """One spelling for one place, so that it cannot be classified twice."""
    return "$" + "".join(map(_written, steps))


def _written(step: Step) -> str:
    if isinstance(step, Element):
        return "[*]" if step.index is None else f"[{step.index}]"
    if _PLAIN.fullmatch(step.name):
        return f".{step.name}"
    return '."' + step.name.replace('"', '""') + '"'
