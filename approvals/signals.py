"""How approvals tell that a request moved, without knowing who asked through which door: `gateway` listens, in the same
transaction. Sent with `request: Request` (its `state` is the new one)."""

from django.dispatch import Signal

request_moved = Signal()
