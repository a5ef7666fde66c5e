"""What retention tells the parts above, which keep content of their own."""

from __future__ import annotations

from django.dispatch import Signal

# Sent inside the transaction that destroys a subject's keys, with `subject` and `erased_at`. Receivers empty what they keep
# of that subject's ended work, in the same transaction: if one fails, nothing is erased.
subject_erased = Signal()
