"""Proposes classes for columns, from their names and from a bounded sample of their values.

`names` reads names, `validators` checks values, `evidence` weighs both (all three without a database); `sampling` reads the
governed database, `documents` takes JSON apart, `examples` has the database mask what people are shown; `scan` is the run,
`proposals` keeps what it found and what people decided.
"""
