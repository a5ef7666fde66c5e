"""How approvals tell what happened, without knowing who listens: all of them are sent within the transaction of the change.

`request_moved`: `request`; its `state` is the new one. `request_noted`: `request` and `event: str`, for what changes no state
(`asked`, `measured`, `edited`, `scheduled`, `reminded`, `escalated`, `reviewed`, `stage-opened`). `grant_moved`: `grant` and
`event: str` (`given`, `used`, `narrowed`, `revoked`, `ended`, `glass-broken`, `glass-mended`). `absence_moved`: `absence` and
`event: str` (`absence-set`, `absence-ended`).
"""

from django.dispatch import Signal

request_moved = Signal()
request_noted = Signal()
grant_moved = Signal()
absence_moved = Signal()
