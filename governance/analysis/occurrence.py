"""Where relations stand in a statement. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pglast import ast

from governance.catalogue.model import Relation


@dataclass(frozen=True, slots=True, eq=False)
class Occurrence:
    """One place where a relation of the user's is read: what masking may have to replace."""

    node: Any
    relation: Relation


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A relation that the statement writes, with the whole writing node (for the columns that it touches)."""

    node: ast.Node
    relation: Relation
    alias: str
