"""How identity says that something changed, without knowing the ledger: `audit` listens and appends in the same
transaction, so a receiver that fails undoes the change. Sent with `kind: str` (an event kind) and `fields: dict`."""

from django.dispatch import Signal

identity_changed = Signal()
