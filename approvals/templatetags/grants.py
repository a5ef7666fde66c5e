"""Grants on other pages: the banner while glass is broken, and what a request gave or is about."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from approvals.grants.listing import broken_now
from approvals.models import Request
from approvals.web.grant_words import Shown, shown
from identity.principals import principal_of_user

register = template.Library()
MOST_USES = 200


@register.inclusion_tag("approvals/_grant_banner.html", takes_context=True)
def broken_glass(context: Context, whose: str = "mine") -> dict[str, Any]:
    """`mine`: glass that the person who looks has broken; `others`: that anybody else has."""
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return {"broken": []}
    if whose == "mine":
        return {"broken": list(broken_now(principal_of_user(user))), "mine": True}
    return {"broken": list(broken_now().exclude(user_id=user.pk))}


@register.inclusion_tag("approvals/_grant_of_request.html")
def given_by(request: Request) -> dict[str, Any]:
    """What the request gave besides one run."""
    return {"given": [shown(grant) for grant in request.grants.select_related("datasource", "request")]}


@register.inclusion_tag("approvals/_grant_runs.html")
def run_under_glass(request: Request) -> dict[str, Any]:
    """Of a look at broken glass: everything that was run under it."""
    about = request.grant if request.kind == Request.Kind.AFTERWARDS else None
    uses = list(about.used.all()[:MOST_USES]) if about is not None else []
    return {"about": about, "uses": uses, "more": about.uses - len(uses) if about is not None else 0}


@register.inclusion_tag("approvals/_grant_uses.html")
def uses_of(one: Shown) -> dict[str, Any]:
    return {"one": one, "grant": one.grant}
