"""Undo at the gateway: what an approved statement changed is kept, and taken back by a request of its own."""

from gateway.undo.capture import Capture, UndoNotKept, outlook, prepare, too_large
from gateway.undo.reverting import NoUndo, Reverted, revert

__all__ = ["Capture", "NoUndo", "Reverted", "UndoNotKept", "outlook", "prepare", "revert", "too_large"]
