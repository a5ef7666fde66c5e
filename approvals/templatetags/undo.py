"""`{% undo item %}`: the card that says whether a change can be taken back, and until when."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from approvals.models import Request
from approvals.undo.showing import may_revert, shown
from identity.principals import principal_of_user

register = template.Library()


@register.inclusion_tag("approvals/_undo.html", takes_context=True)
def undo(context: Context, request: Request) -> dict[str, Any]:
    user = context["user"]
    found = shown(request)
    told = found.log is not None or found.reverts is not None
    return {
        "item": request,
        "undo": found if told else None,
        "may_revert": found.possible and user.is_authenticated and may_revert(request, principal_of_user(user)),
    }
