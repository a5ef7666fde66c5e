"""Text of others in messages that leave the house, and spans of time in words. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from audit.plain import one_line

LONGEST = 160
# Mail and chat programs make links of these by themselves. A word joiner between them cannot be seen, and ends that.
_LINKS = {"://": ":\u2060//", "www.": "www\u2060.", "mailto:": "mailto\u2060:"}
_DOT_OR_AT = re.compile(r"(?<=\w)([.@])(?=\w)")


def harmless(text: object, longest: int = LONGEST) -> str:
    """One line that hides nothing, is not long and becomes no link: names come from those who ask."""
    line = one_line(str(text))
    for found, instead in _LINKS.items():
        line = line.replace(found, instead)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def unlinked(text: object, longest: int = LONGEST) -> str:
    """The same for what somebody wrote freely: what is only the name of a server, or an address, becomes no link either."""
    return _DOT_OR_AT.sub("\\1\u2060", harmless(text, longest))


def span(length: timedelta) -> str:
    """The two largest units: `3 h 12 min`."""
    seconds = max(0, int(length.total_seconds()))
    units = ((seconds // 86_400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"))
    first = next((place for place, (amount, _) in enumerate(units) if amount), None)
    if first is None:
        return "less than a minute"
    return " ".join(f"{amount} {unit}" for amount, unit in units[first : first + 2] if amount)
