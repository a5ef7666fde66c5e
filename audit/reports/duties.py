"""Whether duties were kept apart (P5), worked out again from entries alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.reports.wording import name_of

NEEDED = re.compile(r"(\d+) of (.+)")


class Reviewed(Protocol):
    """One review, as its entry has it."""

    index: int
    actor: str
    verdict: str
    groups: tuple[str, ...]


class Subject(Protocol):
    """A request, as far as entries tell. `created` is None where the range does not hold its beginning."""

    request: str
    index: int
    principal: str
    owner: str
    required: tuple[str, ...]
    created: datetime | None
    approved: datetime | None
    started: datetime | None
    started_index: int | None

    @property
    def reviews(self) -> Sequence[Reviewed]: ...


@dataclass(frozen=True, slots=True)
class Violation:
    index: int
    what: str


@dataclass(frozen=True, slots=True)
class Duty:
    rule: str
    checked: int
    violations: tuple[Violation, ...]


def duties_of(requests: Sequence[Subject]) -> list[Duty]:
    reviews = sum(len(one.reviews) for one in requests)
    # What was approved or reviewed before the range began is not known here, so it is not judged.
    whole = [one for one in requests if one.created is not None]
    ran = [one for one in whole if one.started is not None]
    approved = [one for one in whole if one.approved is not None]
    return [
        Duty("No requester reviewed their own request.", reviews, tuple(_own(requests))),
        Duty("No owner reviewed what their agent asked for.", reviews, tuple(_owners(requests))),
        Duty("Only people reviewed; no agent did.", reviews, tuple(_agents(requests))),
        Duty("Nobody reviewed the same request twice.", reviews, tuple(_twice(requests))),
        Duty("Every approved request had its quorum of distinct people.", len(approved), tuple(_quorums(approved))),
        Duty("Nothing ran before it was approved.", len(ran), tuple(_early(ran))),
    ]


def _own(requests: Iterable[Subject]) -> Iterator[Violation]:
    for one in requests:
        for review in one.reviews:
            if review.actor and review.actor == one.principal:
                yield Violation(review.index, f"{name_of(review.actor)} reviewed request {one.request}, their own.")


def _owners(requests: Iterable[Subject]) -> Iterator[Violation]:
    for one in requests:
        for review in one.reviews:
            if one.owner and one.principal.startswith("agent:") and name_of(review.actor) == one.owner:
                yield Violation(
                    review.index, f"{one.owner} owns {name_of(one.principal)} and reviewed its request {one.request}."
                )


def _agents(requests: Iterable[Subject]) -> Iterator[Violation]:
    for one in requests:
        for review in one.reviews:
            if not review.actor.startswith("user:"):
                yield Violation(review.index, f"{review.actor or 'Somebody unnamed'} reviewed request {one.request}.")


def _twice(requests: Iterable[Subject]) -> Iterator[Violation]:
    for one in requests:
        seen: set[str] = set()
        for review in one.reviews:
            if review.actor in seen:
                yield Violation(review.index, f"{name_of(review.actor)} reviewed request {one.request} again.")
            seen.add(review.actor)


def _quorums(approved: Iterable[Subject]) -> Iterator[Violation]:
    for one in approved:
        for needed, group in needed_by(one.required):
            people = {review.actor for review in one.reviews if review.verdict == "approve" and group in review.groups}
            if len(people) < needed:
                yield Violation(
                    one.index, f"Request {one.request} was approved with {len(people)} of {needed} from group {group}."
                )


def _early(ran: Iterable[Subject]) -> Iterator[Violation]:
    for one in ran:
        if one.approved is None or (one.started is not None and one.started < one.approved):
            yield Violation(one.started_index or one.index, f"Request {one.request} ran without having been approved.")


def needed_by(required: Iterable[str]) -> Iterator[tuple[int, str]]:
    """`2 of dba` as (2, dba)."""
    for text in required:
        if match := NEEDED.fullmatch(text):
            yield int(match[1]), match[2]
