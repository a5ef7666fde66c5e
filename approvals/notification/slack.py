"""Messages as Slack takes them from an incoming webhook: Block Kit, and text for where blocks are not shown. Pure.

Names come from those who ask. All of theirs stands in `plain_text`, where nothing is parsed, or escaped; so nobody mentions
a channel, or makes a link, by what they call a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# https://docs.slack.dev/reference/block-kit
LONGEST_HEADER = 150
LONGEST_FIELD = 2000
MOST_FIELDS = 10
_FORMATTING = dict.fromkeys(map(ord, "*_~`"))


def escape(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(subject: str, sentence: str, rows: Sequence[tuple[str, str]], url: str, link: str) -> dict[str, Any]:
    fields = [_plain(f"{label}: {text}", LONGEST_FIELD) for label, text in rows]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(subject, LONGEST_HEADER)},
        {"type": "section", "text": _plain(sentence, LONGEST_FIELD)},
    ]
    blocks += [
        {"type": "section", "fields": fields[first : first + MOST_FIELDS]}
        for first in range(0, len(fields), MOST_FIELDS)
    ]
    blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{url}|{link}>", "verbatim": True}})
    return {
        # Parsed by those that show no blocks: nothing of it may mean anything.
        "text": f"{escape(subject.translate(_FORMATTING))} <{url}|{link}>",
        "blocks": blocks,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _plain(text: str, longest: int) -> dict[str, Any]:
    escaped = escape(text)
    while len(escaped) > longest:
        text = text[: max(0, len(text) - (len(escaped) - longest) - 1)]
        escaped = f"{escape(text)}…"
    return {"type": "plain_text", "text": escaped, "emoji": False}
