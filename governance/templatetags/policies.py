"""What pages about policies show: Cedar text, and names of policies as links to their cards."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.policy import proposals
from governance.policy.activation import ADMINISTRATORS
from governance.policy.combine import NO_PERMIT, POLICY_ERROR, UNREAD
from governance.web import cedar_markup

register = template.Library()


class Look(NamedTuple):
    """The colours and shapes of the verdicts, in words that fit a policy."""

    word: str
    icon: str
    tone: str


EFFECTS = {
    "permit": Look("Permits", "allow", "allow"),
    "review": Look("Parks", "review", "review"),
    "forbid": Look("Forbids", "deny", "deny"),
}
# Reasons of the gateway's own, which no policy text holds.
NOT_POLICIES = frozenset({NO_PERMIT, POLICY_ERROR, UNREAD, ADMINISTRATORS, "masking-impossible", "glass-broken"})


@register.inclusion_tag("components/sql.html")
def cedar(text: str, label: str = "Cedar") -> dict[str, object]:
    return {"text": text, "lines": cedar_markup.lines(text), "label": label, "key": uuid.uuid4().hex[:8]}


@register.simple_tag
def policy_link(name: str, version: int | None = None) -> SafeString:
    """The policy's name, as a link to its card in the version that decided, where there is such a card."""
    if name in NOT_POLICIES:
        return format_html("<code>{}</code>", name)
    page = reverse("policy-version", args=[version]) if version else reverse("policy")
    return format_html('<a href="{}#policy-{}"><code>{}</code></a>', page, name, name)


@register.inclusion_tag("components/badge.html")
def effect(name: str) -> dict[str, object]:
    return {"look": EFFECTS[name], "size": ""}


@register.simple_tag
def open_proposals() -> int:
    return proposals.open_proposals().count()


@register.filter
def bare(author: str) -> str:
    """People by their names alone: whoever changes policies is a person, or the command line."""
    return author.removeprefix("user:")
