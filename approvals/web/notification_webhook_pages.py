"""Webhooks: for administrators."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from approvals.models import Webhook
from approvals.notification import history, webhooks
from approvals.notification.webhooks import Added, UnknownWebhook, WebhookRefused
from approvals.web.notification_forms import WebhookChangeForm, WebhookForm
from audit.ledger import LedgerUnavailable
from identity.principals import Principal
from identity.viewer import viewer

UNRECORDED = "The change cannot be recorded, so it was not made"


@login_required
@require_GET
def webhook_list(http: HttpRequest) -> HttpResponse:
    _administrator(http)
    return _list(http, WebhookForm())


@login_required
@require_POST
@never_cache
def webhook_add(http: HttpRequest) -> HttpResponse:
    person = _administrator(http)
    form = WebhookForm(http.POST)
    status = 422
    if form.is_valid():
        try:
            added = webhooks.add(**form.values(), actor=person.label)
        except WebhookRefused as error:
            form.refuse(error.field, error.message)
        except LedgerUnavailable as error:
            form.add_error(None, f"{UNRECORDED}: {error}. Send it again in a moment.")
            status = 503
        else:
            # Answered at once and kept nowhere: a secret that waited in the session would be stored.
            return _list(http, WebhookForm(), added=added)
    return _list(http, form, status=status)


@login_required
@require_GET
def webhook_detail(http: HttpRequest, name: str) -> HttpResponse:
    _administrator(http)
    hook = _fetch(name)
    return _detail(http, hook, WebhookChangeForm.showing(hook))


@login_required
@require_POST
def webhook_change(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    hook, form = _fetch(name), WebhookChangeForm(http.POST)
    status = 422
    if form.is_valid():
        try:
            webhooks.change(name, **form.values(), actor=person.label)
        except WebhookRefused as error:
            form.refuse(error.field, error.message)
        except LedgerUnavailable as error:
            form.add_error(None, f"{UNRECORDED}: {error}. Send it again in a moment.")
            status = 503
        else:
            messages.success(http, "Saved. It holds for what happens from now on.")
            return redirect("webhook-detail", name)
    return _detail(http, hook, form, status=status)


@login_required
@require_POST
def webhook_switch(http: HttpRequest, name: str) -> HttpResponse:
    person, active = _administrator(http), http.POST.get("active") == "yes"
    said = f"{name} is told again of what happens from now on." if active else f"{name} is paused."
    return _do(http, name, lambda: webhooks.switch(name, active=active, actor=person.label), said)


@login_required
@require_POST
@never_cache
def webhook_secret(http: HttpRequest, name: str) -> HttpResponse:
    """A new one, shown once; or only the newest one from now on."""
    person = _administrator(http)
    if http.POST.get("drop") == "yes":
        said = f"{name} signs with its newest secret only."
        return _do(http, name, lambda: webhooks.drop_previous_secret(name, actor=person.label), said)
    try:
        added = webhooks.change_secret(name, actor=person.label)
    except UnknownWebhook:
        raise Http404 from None
    except WebhookRefused as error:
        messages.error(http, error.message)
    except LedgerUnavailable as error:
        messages.error(http, f"{UNRECORDED}: {error}. Send it again in a moment.")
    else:
        return _detail(http, added.webhook, WebhookChangeForm.showing(added.webhook), added=added)
    return redirect("webhook-detail", name)


@login_required
@require_POST
def webhook_test(http: HttpRequest, name: str) -> HttpResponse:
    _administrator(http)
    said = "A test is on its way. Load this page again to see how it went."
    return _do(http, name, lambda: webhooks.test(name), said)


@login_required
@require_POST
def webhook_remove(http: HttpRequest, name: str) -> HttpResponse:
    person = _administrator(http)
    said = f"{name} was removed."
    return _do(http, name, lambda: webhooks.remove(name, actor=person.label), said, after="webhook-list")


def _administrator(http: HttpRequest) -> Principal:
    person = viewer(http)
    if not person.is_administrator:
        raise PermissionDenied("Webhooks are for administrators.")
    return person


def _fetch(name: str) -> Webhook:
    try:
        return webhooks.fetch(name)
    except UnknownWebhook:
        raise Http404 from None


def _do(
    http: HttpRequest, name: str, change: Callable[[], object], said: str, after: str = "webhook-detail"
) -> HttpResponse:
    try:
        change()
    except UnknownWebhook:
        raise Http404 from None
    except WebhookRefused as error:
        messages.error(http, error.message)
    except LedgerUnavailable as error:
        messages.error(http, f"{UNRECORDED}: {error}. Send it again in a moment.")
    else:
        messages.success(http, said)
        return redirect(after) if after == "webhook-list" else redirect(after, name)
    return redirect("webhook-detail", name)


def _list(http: HttpRequest, form: WebhookForm, *, status: int = 200, added: Added | None = None) -> HttpResponse:
    rows = [(hook, webhooks.address_of(hook)) for hook in webhooks.listed()]
    context = {"form": form, "rows": rows, "added": added}
    return render(http, "approvals/notification-webhooks.html", context, status=status)


def _detail(
    http: HttpRequest, hook: Webhook, form: WebhookChangeForm, *, status: int = 200, added: Added | None = None
) -> HttpResponse:
    context = {
        "hook": hook,
        "address": webhooks.address_of(hook),
        "secrets": webhooks.secret_count(hook),
        "form": form,
        "added": added,
        "told": history.told_to_webhook(hook),
    }
    return render(http, "approvals/notification-webhook.html", context, status=status)
