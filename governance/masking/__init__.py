"""Masking at the source: masked relations are replaced in the statement before it runs. Pure.

- `masks/`: one file a mask; `types` what fits which type, `places` paths inside JSON.
- `plan`: which relations need which masks and filters, and whether that can be done.
- `rewrite`: the changes, in order: `relations` (`sources`, `system_columns`), `grouping`, `returning`, `row_filters`, `forms`.
- `edits`: puts them into the text and proves the result.
- `writes`: what a write does with sensitive columns; `copies`, `moves`: where it takes them; `outputs`: what is masked in it.
"""
