"""The components as template tags: `{% verdict "deny" %}`, `{% component "card" title="…" %}…{% endcomponent %}`.

Each renders one file of templates/components/. Nothing here decides anything; it only shows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BoundField
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from approvals import services
from gateway.web import icons, sql_markup, words
from identity.principals import principal_of_user

register = template.Library()
register.simple_tag(icons.icon, name="icon")
register.filter("duration_ms", words.milliseconds)


@register.simple_block_tag
def component(content: SafeString, name: str, **values: object) -> SafeString:
    """A component with a body: card, alert, empty."""
    return render_to_string(f"components/{name}.html", {"body": content, **values})


@register.inclusion_tag("components/badge.html")
def verdict(name: str, size: str = "") -> dict[str, object]:
    return {"look": words.look_of(name, words.VERDICTS), "size": size}


@register.inclusion_tag("components/badge.html")
def state(name: str, size: str = "") -> dict[str, object]:
    return {"look": words.look_of(name, words.STATES), "size": size}


@register.inclusion_tag("components/badge.html")
def review_verdict(name: str) -> dict[str, object]:
    return {"look": words.look_of(name, words.REVIEWS)}


@register.inclusion_tag("components/sql.html")
def sql(text: str, hazards: Iterable[Mapping[str, Any]] = (), label: str = "Statement") -> dict[str, object]:
    marks = [sql_markup.Mark(h["place"], h["message"]) for h in hazards or () if h.get("place") is not None]
    return {"text": text, "lines": sql_markup.lines(text, marks), "label": label, "key": uuid.uuid4().hex[:8]}


@register.inclusion_tag("components/statement.html")
def statement(text: str, hazards: Iterable[Mapping[str, Any]] = (), label: str = "Statement") -> dict[str, object]:
    """A statement that somebody decides about: each hazard's words stand in the line that it is in."""
    placed = [hazard for hazard in hazards or () if hazard.get("place") is not None]
    notes: dict[int, list[str]] = {}
    for hazard in placed:
        notes.setdefault(text.count("\n", 0, hazard["place"]), []).append(hazard["message"])
    lines = sql_markup.lines(text, [sql_markup.Mark(hazard["place"], hazard["message"]) for hazard in placed])
    rows = [{"html": line, "notes": notes.get(number, ())} for number, line in enumerate(lines)]
    return {"text": text, "rows": rows, "label": label, "key": uuid.uuid4().hex[:8]}


@register.inclusion_tag("components/time.html")
def when(moment: datetime | str | None, style: str = "full") -> dict[str, object]:
    """`full` (date and time), `clock` (time of day), `age` (how long ago), `countdown` (how long still)."""
    at = parse_datetime(moment) if isinstance(moment, str) else moment
    if at is None:
        return {"at": None}
    at = at.astimezone(UTC)
    now = timezone.now()
    shown = {"clock": f"{at:%H:%M:%S}", "age": words.until(at, now), "countdown": words.until(at, now)}
    return {
        "iso": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "utc": f"{at:%Y-%m-%d %H:%M:%S} UTC",
        "shown": shown.get(style, f"{at.day} {at:%b %Y, %H:%M:%S} UTC"),
        "style": style,
        "at": at,
    }


@register.inclusion_tag("components/principal.html")
def principal(label: str, owner: str = "") -> dict[str, object]:
    kind, _, name = str(label).partition(":")
    return {"kind": kind if name else "user", "name": name or kind, "owner": owner if owner != name else ""}


@register.inclusion_tag("components/risk.html")
def risk(score: int | None, size: str = "") -> dict[str, object]:
    return {"score": score, "level": words.risk_level(score or 0), "size": size}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, css: str = "") -> dict[str, object]:
    return {"field": bound, "css": css}


@register.inclusion_tag("components/alert.html")
def message(entry: Message) -> dict[str, object]:
    tone = entry.level_tag
    return {"body": str(entry), "tone": tone, "icon": words.MESSAGE_ICONS.get(tone, "info")}


@register.inclusion_tag("components/code.html")
def token(text: str, label: str = "Copy") -> dict[str, object]:
    return {"text": text, "label": label, "key": uuid.uuid4().hex[:8]}


@register.simple_tag(takes_context=True)
def waiting_count(context: Context) -> int:
    """How many requests wait for the person who is looking. A page that knows already has it in its context."""
    if "waiting_for_you" in context:
        return int(context["waiting_for_you"])
    user = context["user"]
    return services.waiting_count(principal_of_user(user)) if user.is_authenticated else 0


@register.filter
def columns(head: str) -> list[dict[str, object]]:
    """`Statement|#Rows` as columns; a `#` marks numbers."""
    return [{"name": name.removeprefix("#"), "is_number": name.startswith("#")} for name in head.split("|")]


@register.filter
def thousands(number: int) -> str:
    return f"{number:,}"


@register.filter
def short(value: str, length: int = 12) -> str:
    return value if len(value) <= length else f"{value[:length]}…"


@register.filter
def one_line(text: str, length: int = 300) -> str:
    return short(" ".join(text.split()), length)
