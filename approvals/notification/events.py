"""What people and webhooks can be told of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """`reviewers`: who may review now. `asker`: who answers for what was asked. `took_part`: who has reviewed it. `guardians`:
    administrators, and the groups that would have had to be asked. `holder`: who answers for whoever has the grant.
    `givers`: who approved the grant. `named`: whom the caller names."""

    REVIEWERS = "reviewers"
    ASKER = "asker"
    TOOK_PART = "took_part"
    GUARDIANS = "guardians"
    HOLDER = "holder"
    GIVERS = "givers"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Event:
    """`subject` begins the subject line, `title` names it among the preferences. `family` is what an event shares with those
    that tell the same person the same thing: each person is told once of each family. `loud` ones do not wait for a digest."""

    name: str
    title: str
    subject: str
    audience: frozenset[Audience]
    family: str = ""
    loud: bool = False
    wants_review: bool = False

    @property
    def told_once_as(self) -> str:
        return self.family or self.name


EVENTS: dict[str, Event] = {}


def _event(name: str, title: str, subject: str, *audience: Audience, **more: str | bool) -> None:
    EVENTS[name] = Event(name, title, subject, frozenset(audience), **more)  # type: ignore[arg-type]


_event("asked", "A review is wanted", "Review wanted", Audience.REVIEWERS, family="review", wants_review=True)
_event(
    "edited", "A request was changed: review it again", "Changed, review it again", Audience.REVIEWERS,
    family="review", wants_review=True,
)  # fmt: skip
_event(
    "escalated", "A review is passed on to my group", "Passed on for review", Audience.REVIEWERS,
    family="review", wants_review=True,
)  # fmt: skip
_event("reminded", "A review is still awaited", "Review still awaited", Audience.REVIEWERS, wants_review=True)
_event("approved", "What I asked for was approved", "Approved", Audience.ASKER)
_event("rejected", "What I asked for was rejected", "Rejected", Audience.ASKER)
_event("expired", "What I asked for expired", "Expired", Audience.ASKER)
_event("executed", "What I asked for has run", "Executed", Audience.ASKER)
_event("failed", "A run failed", "Failed", Audience.ASKER, Audience.TOOK_PART)
_event("drifted", "Something drifted and did not run", "Drifted, did not run", Audience.ASKER, Audience.TOOK_PART)
_event("unknown", "The outcome of a run is not known", "Outcome unknown", Audience.ASKER, Audience.TOOK_PART)
_event("withdrawn", "A request that I reviewed was withdrawn", "Withdrawn", Audience.TOOK_PART)
_event("grant-given", "I, or my agent, got a grant", "Grant given", Audience.HOLDER)
_event("grant-used", "A grant was used for the first time", "Grant used", Audience.HOLDER, Audience.GIVERS)
_event("grant-narrowed", "A grant was cut down", "Grant cut down", Audience.HOLDER)
_event("grant-revoked", "A grant was revoked", "Grant revoked", Audience.HOLDER)
_event(
    "glass-broken", "Somebody broke the glass", "GLASS BROKEN", Audience.GUARDIANS, Audience.HOLDER, loud=True
)  # fmt: skip
_event("glass-mended", "Broken glass was mended", "Glass mended", Audience.GUARDIANS, Audience.HOLDER)
_event("absence-set", "I stand in for somebody", "You stand in", Audience.NAMED)

# Not chosen by anybody: made by a button, and by the clock.
TEST, DIGEST = "test", "digest"
_UNCHOSEN = {
    TEST: Event(TEST, "A test", "Test", frozenset({Audience.NAMED}), loud=True),
    DIGEST: Event(DIGEST, "The daily digest", "Digest", frozenset({Audience.NAMED})),
}


def event_named(name: str) -> Event:
    return _UNCHOSEN.get(name) or EVENTS[name]


# What a webhook can be told of: not what is one person's business.
SHARED = tuple(name for name, event in EVENTS.items() if Audience.NAMED not in event.audience)
# What nobody should stop hearing of without a second thought.
VITAL = ("asked", "glass-broken")
