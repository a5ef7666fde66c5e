"""What an undo is made of, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from governance.catalogue.model import Column, Relation

# A row as PostgreSQL writes its values out, in the order of the columns that are kept; None is NULL.
Row = list[str | None]
# A row before and after the change; None where it was not there.
Image = tuple[Row | None, Row | None]


class Verb(StrEnum):
    """`merge`: rows were inserted, updated and deleted by one statement (MERGE, or INSERT … ON CONFLICT DO UPDATE)."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Server:
    """`version` is `server_version_num`; `lacks` the privileges that the role would need for taking images and for putting
    rows back, but has not got."""

    version: int
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undoable:
    """The one relation whose rows a statement changes, under the name that it has there. `columns`: all that are stored, not
    computed; `key`: those that tell a row, none of them ever NULL."""

    relation: Relation
    alias: str
    verb: Verb
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def key_places(self) -> tuple[int, ...]:
        names = [column.name for column in self.columns]
        return tuple(names.index(name) for name in self.key)


@dataclass(frozen=True, slots=True)
class Possible:
    """Whether an exact undo of a statement exists; `why_not` is a sentence for people."""

    yes: bool
    why_not: str = ""
    undoable: Undoable | None = None
