"""A message as a signed POST. docs/notifications.md says how a receiver verifies it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings

from approvals.models import Grant, Notification, Request, Webhook
from approvals.notification import slack
from approvals.notification.events import event_named
from approvals.notification.messages import Message, message_of, what_of
from audit.forwarding.posting import signatures


def body_of(told: Notification, form: str) -> bytes:
    """The same bytes however often it is sent, unless what it is about has changed meanwhile."""
    message = message_of(told)
    if form == Webhook.Format.SLACK:
        return orjson.dumps(slack.payload(message.subject, message.sentence, message.rows, message.url, message.link))
    return orjson.dumps(_plain(told, message))


def headers_of(told: Notification, secrets: Sequence[str], body: bytes) -> dict[str, str]:
    timestamp = str(int(time.time()))
    signed = ",".join(f"v1={one}" for one in signatures(secrets, timestamp, body))
    return {
        "Content-Type": "application/json",
        "Countersign-Event": told.event,
        "Countersign-Delivery": str(told.pk),
        "Countersign-Signature": f"t={timestamp},{signed}",
    }


def _plain(told: Notification, message: Message) -> dict[str, Any]:
    return {
        "id": str(told.pk),
        "event": told.event,
        "title": event_named(told.event).title,
        "message": message.sentence,
        "url": message.url,
        "occurred_at": _moment(told.created_at),
        "request": _request(told.request) if told.request else None,
        "grant": _grant(told.grant) if told.grant else None,
    }


def _request(request: Request) -> dict[str, Any]:
    details = {"statement": request.normal} if settings.MAIL_DETAILS else {}
    return {
        "id": str(request.pk),
        "kind": request.kind,
        "revision": request.revision,
        "state": request.state,
        "what": what_of(request),
        "datasource": request.datasource.name,
        "environment": request.datasource.environment,
        "requester": request.requester,
        "owner": request.owner.username,
        "on_behalf_of": request.on_behalf_of,
        "risk": request.risk,
        "required": [{"group": one["group"], "quorum": one["quorum"]} for one in request.required],
        "expires_at": _moment(request.expires_at),
        **details,
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "id": str(grant.pk),
        "kind": grant.kind,
        "principal": grant.principal,
        "owner": grant.owner.username,
        "datasource": grant.datasource.name,
        "environment": grant.datasource.environment,
        "group": grant.group,
        "uses": grant.uses,
        "max_uses": grant.max_uses,
        "expires_at": _moment(grant.expires_at),
        "revoked_at": _moment(grant.revoked_at),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
