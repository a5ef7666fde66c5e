"""SQL analysis: text and catalogue in, facts out. Pure: neither Django nor the network.

- `analyse` is the entry; `parse` and `script` cut a text into statements, `overlay` is the catalogue as earlier ones leave it.
- `reader` walks one statement's tree: `selects`, `targets` (what is written), `forms` and `session` (statements around
  queries), `definitions` and `utility` (all others, each by name).
- `calls`, `functions`, `builtins`: what is called; `bodies`, `triggers`, `effects`, `conversions`: what that sets off.
- `columns` with `column_*`, `ranges`, `naming`: which column is meant, in which clause; `lineage`: what an output is made of.
- `keys`: how far a WHERE bounds a write. `settings`: which settings are harmless. `facts`: the answer.
"""
