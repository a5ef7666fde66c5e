"""Standing permissions: what a review gives besides one run, what is had for a while, what is taken in an emergency.

- `bounds` says how much may be given, and what a grant covers. Pure.
- `finding` who sees which; `holding` what somebody has right now.
- `giving`, `elevation`, `emergency`: the three ways in. `using`: claimed once a run. `ending`: cut down, revoked, run out.
"""
