"""From an edited text to a policy set that is in force, or to a proposal that waits for people.

The editor's last button shows what would change; only the form on that page, with a comment, changes anything.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from audit.ledger import LedgerUnavailable
from governance.errors import Denied
from governance.policy import proposals, store
from governance.policy.problems import PolicyError
from governance.policy.proposals import Submitted
from governance.policy.surroundings import examine
from governance.web.comparison import changed_policies, compare
from governance.web.drafts import Draft, read_draft
from governance.web.forms import CommentForm
from governance.web.policy_editing import edit_page
from governance.web.policy_pages import active_set
from governance.web.replays import MOST_BESIDE_ACTIVATION, replayed
from governance.web.viewing import administrator
from identity.viewer import viewer

DOOR = "web"


@login_required
@require_POST
def policy_confirm(http: HttpRequest) -> HttpResponse:
    """Changes nothing: it shows what activating would change."""
    administrator(http)
    return _confirm_page(http, read_draft(http), CommentForm())


@login_required
@require_POST
def policy_activate(http: HttpRequest) -> HttpResponse:
    administrator(http)
    draft, form = read_draft(http), CommentForm(http.POST)
    if not form.is_valid():
        return _confirm_page(http, draft, form, status=422)
    if draft.base != store.active().version:
        return _confirm_page(http, draft, form, status=409)
    try:
        submitted = proposals.submit(draft.text, proposals.author_of(viewer(http), DOOR), form.cleaned_data["comment"])
    except PolicyError:
        return _not_sound(http, draft)
    except Denied as refusal:
        form.add_error(None, f"{refusal.message} {refusal.remedy}".strip())
        return _confirm_page(http, draft, form, status=403)
    except LedgerUnavailable as error:
        form.add_error(None, f"Nothing is recorded, so nothing has changed: {error}. Send it again in a moment.")
        return _confirm_page(http, draft, form, status=503)
    return _done(http, submitted)


def _done(http: HttpRequest, submitted: Submitted) -> HttpResponse:
    if submitted.proposal is not None:
        messages.success(http, "Proposed. It comes into force once the people below have approved it.")
        return redirect("policy-proposal", submitted.proposal.pk)
    version = submitted.program.version if submitted.program else store.active().version
    messages.success(http, f"Version {version} is in force.")
    return redirect("policy")


def _confirm_page(http: HttpRequest, draft: Draft, form: CommentForm, status: int = 200) -> HttpResponse:
    found = examine(draft.text)
    if found.program is None:
        return _not_sound(http, draft)
    active = active_set()
    context: dict[str, Any] = {
        "draft": draft,
        "form": form,
        "active": active,
        # Whoever sends the form has seen the comparison with this version, and no other.
        "moved": draft.base != active.version,
        "warnings": found.warnings,
        "comparison": compare(active.text, draft.text),
        "changes": changed_policies(active.text, draft.text),
        "decision": proposals.may_submit(proposals.author_of(viewer(http), DOOR)),
    }
    if not context["comparison"].is_same:
        context |= {"replayed": True, **replayed(found.program, "day", most=MOST_BESIDE_ACTIVATION)}
    return render(http, "governance/policy-confirm.html", context, status=status)


def _not_sound(http: HttpRequest, draft: Draft) -> HttpResponse:
    refused = {"title": "It cannot be activated", "message": "Put right what is listed below; your text is kept."}
    return edit_page(http, draft, status=422, refused=refused)
