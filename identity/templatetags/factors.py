"""What the pages of second factors need."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from identity.adapters import passkeys_work_here
from identity.second_factor import BACK

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """For a data attribute: the template escapes it."""
    return json.dumps(value, default=dict)


@register.filter
def in_groups(text: str, size: int = 4) -> str:
    """A key that people type is read in groups."""
    return " ".join(text[start : start + size] for start in range(0, len(text), size))


@register.simple_tag(name="passkeys_work_here")
def passkeys_work_here_tag() -> bool:
    return passkeys_work_here()


@register.simple_tag(takes_context=True)
def back_to(context: template.Context) -> str:
    """Where the person was when a second factor was asked for; empty if it was not."""
    return str(context["request"].session.get(BACK, ""))


@register.filter
def drawn(svg: str) -> SafeString:
    """Only for what this installation drew itself (the QR code)."""
    return mark_safe(svg)  # noqa: S308
