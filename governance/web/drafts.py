"""A policy text that somebody is editing. It lives in the page alone: every answer gives it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from governance.policy import store
from governance.policy.surroundings import examine
from governance.web.forms import DraftForm


@dataclass(frozen=True, slots=True)
class Draft:
    """`base` is the version that was active when editing began; `changed`: leaving the page would lose something."""

    text: str
    base: int
    changed: bool = True


def read_draft(http: HttpRequest) -> Draft:
    form = DraftForm(http.POST)
    form.full_clean()
    active = store.active()
    text = str(form.cleaned_data.get("text", ""))
    return Draft(text, form.cleaned_data.get("base") or active.version, changed=text != active.text)


def examined(text: str) -> dict[str, Any]:
    """What is wrong with it, for `_problems.html`."""
    found = examine(text)
    if found.program is None:
        return {"problems": found.problems, "warnings": found.warnings}
    policies = found.program.policies.values()
    permits = sum(policy.permits for policy in policies)
    reviews = sum(policy.parking is not None for policy in policies)
    counts = {"permits": permits, "reviews": reviews, "forbids": len(policies) - permits - reviews}
    return {"problems": (), "warnings": found.warnings, "counts": counts}
