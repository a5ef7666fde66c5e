"""Masking at the source: masked relations are replaced in the statement before it runs. Pure.

`masks/` one file a mask · `plan` which relations need which · `rewrite` puts them in · `writes` what a write touches.
"""
