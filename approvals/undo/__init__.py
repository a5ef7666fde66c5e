"""Taking back what an approved write changed: what can be (judging), how its rows are shown (taking), how they are kept
(keeping), and the statement that restores them (restoring)."""

from approvals.undo.judging import possible
from approvals.undo.values import Possible, Server, Undoable

__all__ = ["Possible", "Server", "Undoable", "possible"]
