"""What a request would do, worked out while it waits for people.

- `content`: the measured facts as values; `sentences`: what they mean, in words. Both pure.
- `access`: who may see them; `service`: the row and its life; `showing`: what pages and REST show of it.
The gateway measures (gateway/impact.py); this package keeps.
"""
