"""JSON values taken apart: what stands at each path, over all sampled documents. Pure.

An object whose keys are data themselves (an id for each entry) is not followed key by key: all that is below it belongs to
the path of the object, and so do the keys.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

DEEPEST = 6
MOST_PATHS = 200
# An object with more different keys than this over the sample holds data in its keys.
MOST_KEYS = 40
MOST_ELEMENTS = 20
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

Steps = tuple[str, ...]
EACH = "[*]"


def values_by_path(documents: Iterable[str]) -> dict[Steps, list[str | int | float]]:
    """Scalars by the steps that lead to them: keys, and `[*]` for the elements of an array."""
    parsed = [document for text in documents if (document := _parse(text)) is not None]
    open_objects = _objects_with_data_keys(parsed)
    found: defaultdict[Steps, list[str | int | float]] = defaultdict(list)
    for document in parsed:
        _collect(document, (), open_objects, found)
    return dict(list(found.items())[:MOST_PATHS])


def path_text(steps: Steps) -> str:
    """`$.a."odd key"[*]`"""
    return "$" + "".join(step if step == EACH else _step(step) for step in steps)


def _step(key: str) -> str:
    if _PLAIN_KEY.match(key):
        return f".{key}"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'."{escaped}"'


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _objects_with_data_keys(documents: list[Any]) -> frozenset[Steps]:
    keys: defaultdict[Steps, set[str]] = defaultdict(set)
    for document in documents:
        _count_keys(document, (), keys)
    return frozenset(steps for steps, names in keys.items() if len(names) > MOST_KEYS)


def _count_keys(value: Any, steps: Steps, keys: Mapping[Steps, set[str]]) -> None:
    if len(steps) >= DEEPEST:
        return
    if isinstance(value, dict):
        if len(keys[steps]) <= MOST_KEYS:
            keys[steps].update(value)
        for key, inner in value.items():
            _count_keys(inner, (*steps, key), keys)
    elif isinstance(value, list):
        for inner in value[:MOST_ELEMENTS]:
            _count_keys(inner, (*steps, EACH), keys)


def _collect(
    value: Any, steps: Steps, data_keys: frozenset[Steps], found: Mapping[Steps, list[str | int | float]]
) -> None:
    if isinstance(value, (dict, list)) and (len(steps) >= DEEPEST or steps in data_keys):
        found[steps].extend(_all_scalars(value, DEEPEST))
    elif isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, (*steps, key), data_keys, found)
    elif isinstance(value, list):
        for inner in value[:MOST_ELEMENTS]:
            _collect(inner, (*steps, EACH), data_keys, found)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        found[steps].append(value)


def _all_scalars(value: Any, levels: int) -> list[str | int | float]:
    """Keys included."""
    if not levels:
        return []
    if isinstance(value, dict):
        return [*value, *(one for inner in value.values() for one in _all_scalars(inner, levels - 1))]
    if isinstance(value, list):
        return [one for inner in value[:MOST_ELEMENTS] for one in _all_scalars(inner, levels - 1)]
    return [value] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else []
