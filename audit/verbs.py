"""The verb of a statement, as entries and exports name it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
# Not those of FOR UPDATE, FOR NO KEY UPDATE, DO UPDATE and ON DELETE.
_WRITES = re.compile(r"(?<!FOR )(?<!KEY )(?<!DO )(?<!ON )\b(INSERT|UPDATE|DELETE|TRUNCATE|MERGE)\b")
_DEFINES = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "REFRESH", "REINDEX", "SECURITY"})
_READS = frozenset({"SELECT", "WITH", "TABLE", "VALUES"})


def verb_of(kinds: Iterable[str], normal: str) -> str:
    """`SELECT`, `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, `MERGE`, `WRITE` where a write hides in something else, `DDL`,
    `OTHER`, or nothing where nothing is known.

    `kinds` are those of the analysis, `normal` the text without literals and comments. Of several, the first that writes.
    """
    found = frozenset(kinds)
    text = _QUOTED.sub("?", normal.upper())
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if found & {"ddl", "privilege"} or first in _DEFINES:
        return "DDL"
    if (written := _WRITES.search(text)) and (not found or "write" in found):
        return written.group(1)
    if "write" in found:
        return "WRITE"
    if "read" in found or first in _READS:
        return "SELECT"
    return "OTHER" if found or first else ""
