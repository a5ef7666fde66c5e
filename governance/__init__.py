"""What may happen. Six parts, and the place where they meet:

`catalogue/` what a data source holds · `analysis/` what a statement does · `masking/` what stands in for what may not be seen ·
`policy/` what is permitted, and on what terms · `risk.py` how dangerous it is · `classification.py`, `classes.py`, `scanning/`
what is sensitive. `assessment.py` takes one text through all of them.

`models.py`, `versions.py` and the stores keep what is in force; `web/` are the pages, `management/` the commands.
"""
