"""JSON taken apart into paths."""

from __future__ import annotations

import json
from typing import Any

from governance.scanning.documents import DEEPEST, MOST_KEYS, path_text, values_by_path


def paths_of(*documents: Any) -> dict[str, list[Any]]:
    found = values_by_path([json.dumps(document) for document in documents])
    return {path_text(steps): values for steps, values in found.items()}


def test_scalars_are_found_by_path_over_all_documents() -> None:
    assert paths_of({"a": {"b": "x"}, "n": 1}, {"a": {"b": "y"}}) == {"$.a.b": ["x", "y"], "$.n": [1]}


def test_elements_of_arrays_share_a_path() -> None:
    assert paths_of({"to": [{"mail": "x"}, {"mail": "y"}]}) == {"$.to[*].mail": ["x", "y"]}
    assert paths_of(["x", "y"]) == {"$[*]": ["x", "y"]}


def test_odd_keys_are_quoted() -> None:
    assert list(paths_of({'e-"mail': "x"})) == ['$."e-\\"mail"']


def test_an_object_with_data_for_keys_is_taken_as_a_whole() -> None:
    by_mail = {f"person{n}@example.com": {"visits": n} for n in range(MOST_KEYS + 5)}
    (found,) = paths_of({"people": by_mail}).items()
    assert found[0] == "$.people"
    assert "person3@example.com" in found[1]


def test_what_is_too_deep_belongs_to_the_path_above_it() -> None:
    value: Any = "secret"
    for _ in range(DEEPEST + 3):
        value = {"a": value}
    assert list(paths_of(value)) == ["$" + ".a" * DEEPEST]


def test_what_is_no_document_is_passed_over() -> None:
    assert values_by_path(["{broken", "[" * 100_000]) == {}


def test_booleans_and_nulls_are_no_values() -> None:
    assert paths_of({"a": True, "b": None, "c": "x"}) == {"$.c": ["x"]}
