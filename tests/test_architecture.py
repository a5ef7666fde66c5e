"""The house: which way imports point, and that the pure cores stay pure. Read from the code, not from a promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ("identity", "audit", "governance", "approvals", "gateway")
PURE = (
    "governance/analysis", "governance/masking", "governance/catalogue/encode.py", "governance/catalogue/model.py",
    "governance/catalogue/propagate.py", "governance/catalogue/queries.py", "governance/classes.py",
    "governance/errors.py", "governance/kept.py", "governance/risk.py", "governance/policy/activation.py",
    "governance/policy/annotations.py", "governance/policy/changes.py", "governance/policy/combine.py",
    "governance/policy/coverage.py", "governance/policy/decision.py", "governance/policy/engine.py",
    "governance/policy/examination.py", "governance/policy/lockout.py", "governance/policy/problems.py",
    "governance/policy/program.py", "governance/policy/question.py", "governance/policy/quorum.py",
    "governance/policy/replay.py", "governance/policy/row_filters.py", "governance/policy/words.py",
    "governance/scanning/documents.py", "governance/scanning/errors.py", "governance/scanning/names.py",
    "approvals/states.py", "approvals/impact/content.py", "approvals/impact/sentences.py",
    "gateway/measuring/trial.py", "gateway/measuring/refusals.py", "gateway/measuring/failures.py",
    "gateway/measuring/effects.py", "gateway/measuring/sampling.py", "approvals/quorum.py",
    "approvals/digest.py", "approvals/undo/judging.py", "approvals/undo/restoring.py", "approvals/undo/taking.py",
    "approvals/undo/values.py", "audit/merkle.py", "audit/canonical.py",
    "audit/transparency/heads.py", "audit/transparency/notes.py",
    "audit/entries.py", "audit/events.py", "audit/registry.py", "audit/exports/cells.py", "audit/exports/columns.py",
    "audit/exports/ocsf.py", "audit/exports/ocsf_parts.py", "governance/policy/exporting.py", "audit/reports/model.py",
    "audit/reports/plots.py", "audit/reports/periods.py", "audit/verbs.py", "audit/plain.py",
)  # fmt: skip
FORBIDDEN_IN_PURE = {"django", "psycopg", "redis", "socket", "urllib", "http", "celery", "requests", "rest_framework"}


LONGEST_MODULE = 400
# Has to be one file, which somebody takes along and reads by itself.
STANDS_ALONE = {"audit/evidence/countersign_verify.py": 700}
LONGEST_FUNCTION = 60


def modules_of(package: str) -> list[Path]:
    return [path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported_by(path: Path) -> Iterator[str]:
    """Names of imported modules, also those imported inside functions."""
    for node in ast.walk(tree_of(path)):
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
        for name in sorted({name for reached in reached_from(path) for name in names_imported_by(reached)})
        if name.split(".")[0] in FORBIDDEN_IN_PURE
    ]
    assert wrong == []


def reached_from(start: Path) -> set[Path]:
    """The module itself and those of ours that it imports, and they import: a core is as pure as what it leans on."""
    reached, waiting = {start}, [start]
    while waiting:
        found = {path for name in names_imported_by(waiting.pop()) if (path := module_at(name))} - reached
        reached |= found
        waiting.extend(found)
    return reached


@cache
def names_imported_by(path: Path) -> set[str]:
    """As `imported_by`, and each imported name as if it were a module: `from governance.policy import store`."""
    inside = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return inside | set(imported_by(path))


@cache
def module_at(name: str) -> Path | None:
    path = ROOT / name.replace(".", "/")
    if name.split(".")[0] not in ORDER:
        return None
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@pytest.mark.parametrize("package", ORDER)
def test_modules_and_functions_stay_short(package: str) -> None:
    long_modules = [
        f"{path.relative_to(ROOT)}: {length} lines"
        for path in modules_of(package)
        if (length := len(path.read_text().splitlines()))
        > STANDS_ALONE.get(str(path.relative_to(ROOT)), LONGEST_MODULE)
    ]
    long_functions = [
        f"{path.relative_to(ROOT)}: {node.name}: {length} lines"
        for path in modules_of(package)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long_modules + long_functions == []


def test_no_import_is_relative() -> None:
    """A relative import would not be seen by the checks above."""
    relative = [
        str(path.relative_to(ROOT))
        for package in ORDER
        for path in modules_of(package)
        for node in ast.walk(tree_of(path))
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
