"""What a message says: who asks for what, where, how risky it is, and until when; and where the page is.

Never the statement, a parameter, a value, a purpose, a reason or a comment: e-mail and chat are not sealed.
`COUNTERSIGN_MAIL_DETAILS` adds the statement in its normal form, which has no values in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from approvals import story
from approvals.models import Grant, Notification, Request
from approvals.notification.events import Event, event_named
from approvals.notification.phrases import harmless, span, unlinked

LONGEST_STATEMENT = 1000
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Message:
    """`rows` are labels with what they label, harmless already."""

    event: str
    subject: str
    sentence: str
    rows: tuple[tuple[str, str], ...]
    url: str
    link: str
    loud: bool = False


SENTENCES = {
    "asked": "This waits for a review, and you are one of those who can give it.",
    "edited": "This was changed. Reviews of what it was before no longer count: look at it again.",
    "escalated": "Nobody has decided this in time, so it is passed on to you.",
    "reminded": "This still waits for your review.",
    "approved": "This was approved. The page shows when it runs, and how it ends.",
    "rejected": "This was rejected and will not run. The page says why.",
    "expired": "Nobody decided this in time, or it could not run in time. It did not run.",
    "executed": "This was approved and has run.",
    "failed": "This was approved and did not succeed. The page says why.",
    "drifted": "This did not run: it is no longer what was approved. The page shows what changed.",
    "unknown": "Whether this took effect is not known. Look at the data before anybody asks for it again.",
    "withdrawn": "This was withdrawn by those who asked for it. It will not run.",
    "grant-given": "This permission was given. It ends by itself.",
    "grant-used": "This permission was used for the first time.",
    "grant-narrowed": "This permission was cut down.",
    "grant-revoked": "This permission was revoked: nothing runs by it any more.",
    "glass-broken": "Somebody broke the glass: what policy would hold for a review runs at once. Look at it now.",
    "glass-mended": "The emergency is over. What was done under it is to be reviewed.",
    "absence-set": "You stand in for somebody: what waits for a review of their groups waits for you too.",
    "test": "This is the test that was asked for. Messages arrive here.",
}
# What is told of requests that nothing runs for.
_SENTENCES_WITHOUT_A_RUN: dict[tuple[str, str], str] = {
    (Request.Kind.ELEVATION, "approved"): "This was approved. It holds from now on, and ends by itself.",
    (Request.Kind.ELEVATION, "rejected"): "This was rejected. The page says why.",
    (Request.Kind.ELEVATION, "expired"): "Nobody decided this in time.",
    (Request.Kind.AFTERWARDS, "approved"): "What was done in the emergency was looked at and found right.",
    (
        Request.Kind.AFTERWARDS,
        "rejected",
    ): "What was done in the emergency was looked at and objected to. The page says why.",
    (Request.Kind.AFTERWARDS, "expired"): "Nobody has looked in time at what was done in the emergency.",
}


def message_of(told: Notification, zone: ZoneInfo = UTC, now: datetime | None = None) -> Message:
    event = event_named(told.event)
    now = now or timezone.now()
    if told.request is not None:
        return _of_request(event, told.request, zone, now)
    if told.grant is not None:
        return _of_grant(event, told.grant, zone)
    if "person" in told.context:
        return _of_absence(event, told.context, zone)
    place = reverse("notifications")
    return Message(event.name, "Countersign: a test", SENTENCES[event.name], (), _absolute(place), "Your settings")


# --- Requests -----------------------------------------------------------------------------------------------------


def _of_request(event: Event, request: Request, zone: ZoneInfo, now: datetime) -> Message:
    what, source = what_of(request), request.datasource
    subject = f"{event.subject}: {what} on {harmless(source.name)} ({source.environment}), risk {request.risk}"
    rows = [
        ("What", what),
        ("Asked by", _who(request.requester, request.owner.username)),
        ("On behalf of", unlinked(request.on_behalf_of)),
        ("Data source", f"{harmless(source.name)} ({source.environment})"),
        ("Risk", f"{request.risk} of 100"),
    ]
    if event.wants_review:
        rows.append(("Needs", _needs(request)))
    if event.wants_review and request.kind != Request.Kind.AFTERWARDS:
        rows.append(("Decide by", f"{_moment(request.expires_at, zone)}, {span(request.expires_at - now)} from now"))
    if event.name == "drifted":
        rows.append(("What changed", ", ".join(sorted({harmless(one["what"]) for one in request.drift}))))
    if settings.MAIL_DETAILS and request.normal:
        rows.append(("Statement, without values", harmless(request.normal, LONGEST_STATEMENT)))
    url = _absolute(reverse("request-detail", args=[request.pk]))
    link = "Open it to review it" if event.wants_review else "Open it"
    sentence = _SENTENCES_WITHOUT_A_RUN.get((request.kind, event.name)) or SENTENCES[event.name]
    return Message(event.name, harmless(subject, 200), sentence, _filled(rows), url, link, event.loud)


def what_of(request: Request) -> str:
    """In a few words, for a subject line."""
    if request.kind == Request.Kind.ELEVATION:
        return harmless(f"Membership of {request.asked.get('group', 'a group')} for a while")
    if request.kind == Request.Kind.AFTERWARDS:
        return "A look at what was done under broken glass"
    return harmless(story.heading_of(request.facts))


def _needs(request: Request) -> str:
    open_now = [one for one in request.required if one.get("stage", 1) == request.stage] or request.required
    return ", ".join(f"{one['quorum']} of {harmless(one['group'])}" for one in open_now)


# --- Grants and absences ------------------------------------------------------------------------------------------


def _of_grant(event: Event, grant: Grant, zone: ZoneInfo) -> Message:
    source = grant.datasource
    who = _who(grant.principal, grant.owner.username)
    rows = [
        ("Permission", str(grant.get_kind_display()).capitalize()),
        ("Of", who),
        ("Group", harmless(grant.group)),
        ("Data source", f"{harmless(source.name)} ({source.environment})"),
        ("Until", _moment(grant.revoked_at or grant.expires_at, zone)),
        ("Used", f"{grant.uses} of {grant.max_uses}" if grant.max_uses else str(grant.uses)),
    ]
    subject = f"{event.subject}: {harmless(grant.principal)} on {harmless(source.name)} ({source.environment})"
    return Message(
        event.name,
        harmless(subject, 200),
        SENTENCES[event.name],
        _filled(rows),
        _absolute(reverse("grant-detail", args=[grant.pk])),
        "Open it",
        event.loud,
    )


def _of_absence(event: Event, context: dict[str, Any], zone: ZoneInfo) -> Message:
    starts, ends = parse_datetime(context["starts_at"]), parse_datetime(context["ends_at"])
    rows = [
        ("For", harmless(context["person"])),
        ("From", _moment(starts, zone) if starts else ""),
        ("Until", _moment(ends, zone) if ends else ""),
    ]
    subject = f"{event.subject} for {harmless(context['person'])}"
    return Message(
        event.name, subject, SENTENCES[event.name], _filled(rows), _absolute(reverse("absences")), "Open absences"
    )


# --- Parts --------------------------------------------------------------------------------------------------------


def _who(label: str, owner: str) -> str:
    kind, _, name = label.partition(":")
    return harmless(f"{name}, owned by {owner}" if kind == "agent" else name or label)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"


def _filled(rows: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((label, text) for label, text in rows if text)


def _absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
