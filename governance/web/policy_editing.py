"""The editor: one form, whose buttons check, test, replay and compare the text in it. Nothing here changes a policy."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from governance.policy import store
from governance.policy.surroundings import examine
from governance.web import progress
from governance.web.drafts import Draft, examined, read_draft
from governance.web.policy_pages import active_set, fetch_version
from governance.web.replays import replay_form, replayed
from governance.web.trials import trial_form, try_statement
from governance.web.viewing import administrator, is_fragment
from identity.viewer import viewer

NOT_SOUND = {"text": ["The edited text is not sound; put right what is listed beside it first."]}

Act = Callable[[HttpRequest, Draft], HttpResponse]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def policy_edit(http: HttpRequest) -> HttpResponse:
    administrator(http)
    if http.method != "POST":
        return edit_page(http, _fresh(http))
    draft = read_draft(http)
    return ACTS.get(http.POST.get("action", ""), edit_page)(http, draft)


def _fresh(http: HttpRequest) -> Draft:
    active = active_set()
    asked = http.GET.get("from", "")
    stored = fetch_version(int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else active
    return Draft(stored.text, active.version, changed=stored.text != active.text)


def _check(http: HttpRequest, draft: Draft) -> HttpResponse:
    if is_fragment(http):
        return render(http, "governance/_problems.html", examined(draft.text))
    return edit_page(http, draft)


def _test(http: HttpRequest, draft: Draft) -> HttpResponse:
    person = viewer(http)
    form = trial_form(person, http.POST)
    tested: dict[str, Any] = {"invalid": form.errors}
    if form.is_valid():
        program = examine(draft.text).program
        tested = try_statement(form, person, program) if program else {"invalid": NOT_SOUND}
    if is_fragment(http):
        return render(http, "governance/_tested.html", tested)
    return edit_page(http, draft, test_form=form, tested=tested)


def _replay(http: HttpRequest, draft: Draft) -> HttpResponse:
    person = viewer(http)
    form = replay_form(person, http.POST)
    outcome: dict[str, Any] = {"invalid": form.errors}
    if form.is_valid():
        values = form.cleaned_data
        job = values["job"]
        program = examine(draft.text).program
        outcome = (
            replayed(
                program,
                values["span"],
                values["source"],
                progress=lambda done: progress.tell(person.id, job, done) if job else None,
            )
            if program
            else {"invalid": NOT_SOUND}
        )
    if is_fragment(http):
        return render(http, "governance/_replayed.html", outcome)
    return edit_page(http, draft, replay_form=form, replayed=True, **outcome)


@login_required
@require_GET
def policy_replay_progress(http: HttpRequest, job: uuid.UUID) -> JsonResponse:
    """How many statements of one's own replay are done."""
    return JsonResponse({"done": progress.ask(administrator(http).pk, job)})


def edit_page(http: HttpRequest, draft: Draft, status: int = 200, **more: Any) -> HttpResponse:
    active_version = store.active().version
    context = {
        "text": draft.text,
        "base": draft.base,
        "changed": draft.changed,
        "active_version": active_version,
        "moved": draft.base != active_version,
        "test_form": trial_form(viewer(http)),
        "replay_form": replay_form(viewer(http)),
        "job": uuid.uuid4(),
        **examined(draft.text),
        **more,
    }
    return render(http, "governance/policy-edit.html", context, status=status)


ACTS: dict[str, Act] = {"check": _check, "test": _test, "replay": _replay}
