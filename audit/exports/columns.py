"""The columns of CSV and Parquet, in their order. docs/exports.md lists them; a new one goes to the end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Type = Literal["text", "names", "whole", "number"]

# Behind index, time, kind and title; each repeats a field of the header.
FIELDS: Mapping[str, Type] = {
    "principal": "text", "owner": "text", "on_behalf_of": "text", "actor": "text", "door": "text",
    "datasource": "text", "environment": "text", "verdict": "text", "risk": "whole", "policies": "names",
    "relations": "names", "classes": "names", "query": "text", "request": "text", "run": "text",
    "fingerprint": "text", "status": "text", "rows": "whole", "bytes": "whole", "duration_ms": "number",
    "sqlstate": "text", "sql_normal": "text", "purpose": "text", "message": "text", "error": "text", "reason": "text",
}  # fmt: skip
FIRST = ("index", "time", "kind", "title")
LAST = ("header", "leaf")
COLUMNS = (*FIRST, *FIELDS, *LAST)


def typed(value: Any, kind: Type) -> Any:
    """None where the header holds something else than the column can: the header itself is in the file too."""
    match kind:
        case "text":
            return value if isinstance(value, str) else None
        case "names":
            return [str(one) for one in value] if isinstance(value, list) else None
        case "whole":
            return value if type(value) is int and abs(value) < 2**63 else None
    return float(value) if type(value) in (int, float) else None
