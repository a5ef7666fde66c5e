"""The house: which way imports point, and that the pure cores stay pure. Read from the code, not from a promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ("identity", "audit", "governance", "approvals", "gateway")
PURE = (
    "governance/analysis", "governance/masking", "governance/catalogue/model.py", "governance/classes.py",
    "governance/errors.py", "governance/risk.py", "governance/policy/decision.py", "governance/policy/engine.py",
    "governance/policy/program.py", "governance/policy/question.py", "approvals/states.py", "approvals/quorum.py",
    "approvals/digest.py", "audit/merkle.py", "audit/canonical.py",
)  # fmt: skip
FORBIDDEN_IN_PURE = {"django", "psycopg", "redis", "socket", "urllib", "http", "celery", "requests", "rest_framework"}


def modules_of(package: str) -> list[Path]:
    return [path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]


def imported_by(path: Path) -> Iterator[str]:
    """Names of imported modules, also those imported inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("package", ORDER)
def test_imports_point_one_way(package: str) -> None:
    allowed = set(ORDER[: ORDER.index(package) + 1])
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules_of(package)
        for name in imported_by(path)
        if (top := name.split(".")[0]) in {*ORDER, "config", "tests", "bench"} and top not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("place", PURE)
def test_a_pure_core_imports_neither_django_nor_the_network(place: str) -> None:
    paths = [ROOT / place] if place.endswith(".py") else modules_of(place)
    assert paths
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imported_by(path)
        if name.split(".")[0] in FORBIDDEN_IN_PURE
    ]
    assert wrong == []


def test_no_import_is_relative() -> None:
    """A relative import would not be seen by the checks above."""
    relative = [
        str(path.relative_to(ROOT))
        for package in ORDER
        for path in modules_of(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_the_pipeline_shows_its_steps_in_the_order_of_the_promise() -> None:
    """P3: intent before the run, outcome before release. Reordering the lines of `execute` fails here."""
    called = calls_in("execute")
    order = ["running", "record_intent", "run", "record_outcome", "release"]
    assert [name for name in called if name in order] == order


def test_the_pipeline_decides_before_it_parks_or_runs() -> None:
    called = calls_in("submit")
    order = ["authenticate", "receive", "decide", "refuse", "park", "execute"]
    assert [name for name in called if name in order] == order


def test_the_pipeline_stays_short() -> None:
    assert len((ROOT / "gateway/pipeline.py").read_text().splitlines()) <= 130


def calls_in(function: str) -> list[str]:
    tree = ast.parse((ROOT / "gateway/pipeline.py").read_text())
    body = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    return [node.func.id for node in calls if isinstance(node.func, ast.Name)]
