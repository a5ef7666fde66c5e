"""Everything that the page of a request shows, put together for one viewer, by the same number of queries for any request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from approvals import services, story
from approvals.agreement import agreed_row_bound
from approvals.asking import terms_of
from approvals.eligibility import Eligibility
from approvals.errors import UnknownRequest
from approvals.impact import showing
from approvals.models import Request, Review, Revision
from approvals.parties import owners_of
from approvals.quorum import Standing
from approvals.states import OPEN, Action, State, sources
from approvals.web import request_standing as standings
from approvals.web import request_words as words
from approvals.web.request_diff import Difference, difference
from approvals.web.request_past import earlier_of, last_agreed, record_of
from audit import search
from governance.models import Classification
from governance.policy import store as policy_store
from governance.policy.words import in_words
from identity.models import Credential
from identity.principals import Principal

MOST_ENTRIES = 50
# Of the ledger's entries about a request, those that its rows do not tell of.
ENTRIES = (*story.TOLD, "execution.finished")
# Longer texts open only when somebody asks for them.
LONG_TEXT, LONG_LINES = 6000, 60


# --- The part that follows what happens ---------------------------------------------------------------------------


def state_of(request: Request, viewer: Principal) -> dict[str, Any]:
    """What changes while the page is open."""
    now = timezone.now()
    reviews = standings.reviews_of(request)
    standing = standings.standing_now(request, reviews)
    impact = showing.shown(request, viewer)
    eligibility = services.may_review(request, viewer)
    return {
        "item": request,
        "is_open": request.state in OPEN,
        "waits": request.state == State.PENDING,
        "version": _version(request, reviews, impact),
        "impact": impact,
        "sentence": words.sentence_of(request, impact),
        "next": standings.block_of(request, standing, reviews, now),
        "rows": standings.rows_of(request, standing, reviews),
        "stages": len(words.stages_of(standing)),
        "steps": story.steps_of(request, reviews, _revisions(request), _entries(request)),
        "eligibility": eligibility,
        "buttons": _buttons(request, viewer, eligibility, standing, reviews, impact),
        "successor": _successor(request, viewer),
        "may_withdraw": may_withdraw(request, viewer),
        "may_edit": _may_edit(request, viewer),
        "may_schedule": not services.may_schedule(request, viewer),
    }


def _version(request: Request, reviews: Sequence[Review], impact: showing.ShownImpact | None) -> str:
    """Another one as soon as anything that follows is another."""
    shown = (
        request.state, request.revision, request.stage, request.attempt, request.run_at, request.not_before,
        request.expires_at, request.reminded_at, request.escalated_at, request.row_bound, len(reviews),
        impact.state if impact else "",
    )  # fmt: skip
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def _successor(request: Request, viewer: Principal) -> Request | None:
    """What asks for the same again, where the viewer may see it."""
    if request.state != State.DRIFTED:
        return None
    return (
        services.list_requests_for(viewer)
        .filter(follows=request)
        .only("pk")
        .prefetch_related(None)
        .select_related(None)
        .first()
    )


def _revisions(request: Request) -> list[Revision]:
    return list(Revision.objects.filter(request=request).defer("sql", "params", "normal"))


def _entries(request: Request) -> list[dict[str, Any]]:
    """The timeline is worth having without them, too."""
    try:
        found = search.find_entries(search.EntryFilter(request=str(request.pk), kind=ENTRIES), limit=MOST_ENTRIES)
    except search.SearchTooBroad:
        return []
    return [entry for one in found.entries if "unreadable" not in (entry := search.entry_json(one))]


@dataclass(frozen=True, slots=True)
class Buttons:
    approve: str
    reject: str
    for_whom: str = ""


def _buttons(
    request: Request,
    viewer: Principal,
    eligibility: Eligibility,
    standing: Standing,
    reviews: Sequence[Review],
    impact: showing.ShownImpact | None,
) -> Buttons | None:
    if not eligibility.allowed:
        return None
    mine = standings.voice_of(eligibility, viewer)
    after = standings.standing_with(standing, request, reviews, mine)
    bounded = words.bounded(request, impact, agreed_row_bound(request, request.row_bound))
    opens = standings.opens_in_words(request, timezone.now())
    for_whom = eligibility.speaks_for.username if eligibility.speaks_for else ""
    return Buttons(words.approving(request, standing, after, opens, bounded), words.rejecting(request), for_whom)


def may_withdraw(request: Request, person: Principal) -> bool:
    asked = request.requester == person.label or person.id in owners_of(request)
    return asked and request.kind != Request.Kind.AFTERWARDS and request.state in sources(Action.WITHDRAW)


def _may_edit(request: Request, person: Principal) -> bool:
    try:
        return not services.why_not_edit(request, person)
    except UnknownRequest:
        return False


# --- What stays as it is ------------------------------------------------------------------------------------------


def facts_of(request: Request, viewer: Principal) -> dict[str, Any]:
    """What the page shows besides, and what does not change while it is open."""
    is_statement = request.kind == Request.Kind.STATEMENT
    query = getattr(request, "query", None)
    earlier = earlier_of(request, viewer)
    agreed = last_agreed(earlier)
    policies = _policies(request.decision)
    message = request.decision.get("message", "")
    kept = _kept_text(agreed.request) if is_statement and agreed is not None else None
    return {
        "is_statement": is_statement,
        "query": query,
        "credential": Credential.objects.filter(pk=query.credential).first() if query and query.credential else None,
        "parameters": parameters_of(request),
        "is_long": len(request.sql) > LONG_TEXT or request.sql.count("\n") > LONG_LINES,
        "lines": request.sql.count("\n") + 1,
        "comparisons": list(_comparisons(request, viewer, agreed.request if agreed is not None else None, kept)),
        "classified": _classified(request) if is_statement else [],
        "policies": policies,
        "told": "" if message in {one.message for one in policies} else message,
        "demands": request.decision.get("demands", ()),
        "risk": risk_of(request),
        "earlier": earlier,
        "record": record_of(request),
        "role": request.bound.get("role", ""),
        "search_path": request.bound.get("search_path", ()),
        "windows": terms_of(request).windows,
        "grantable": in_words(terms_of(request).grantable) if terms_of(request).grantable else "",
    }


def parameters_of(request: Request) -> list[object]:
    """Those of a change that takes back another are the values that it puts back: they stay under seal."""
    if request.reverts_id is not None:
        return []
    params: Any = request.params
    if isinstance(params, Mapping):
        return [f"{name} = {value}" for name, value in params.items()]
    return list(params or [])


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the risk: as wide as its points, of 100. `strength` tells it from its neighbours."""

    reason: str
    points: int
    x: float
    width: float
    strength: float


def risk_of(request: Request) -> list[Slice]:
    parts: list[dict[str, Any]] = sorted(request.risk_parts, key=lambda one: -one["points"])
    whole, at, found = max(100, sum(one["points"] for one in parts)), 0.0, []
    for number, one in enumerate(parts):
        width = 100 * one["points"] / whole
        strength = max(0.3, 1 - 0.18 * number)
        found.append(
            Slice(one["reason"], one["points"], round(at, 2), round(max(0, width - 0.6), 2), round(strength, 2))
        )
        at += width
    return found


@dataclass(frozen=True, slots=True)
class PolicyTold:
    name: str
    message: str


def _policies(decision: Mapping[str, Any]) -> list[PolicyTold]:
    """With what each says, as long as the set that decided is the one in force."""
    program = policy_store.active()
    says = {}
    if program.version == decision.get("policy_version"):
        says = {policy.id: policy.notes.message for policy in program.policies.values()}
    return [PolicyTold(name, says.get(name, "")) for name in decision.get("policies", ())]


# --- Classified columns -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Classified:
    """`mask`: what whoever asked gets to see in its place; empty where they see it as it is. `clauses`: how it is used."""

    name: str
    data_class: str
    mask: str
    clauses: tuple[str, ...]


def _classified(request: Request) -> list[Classified]:
    """Of the relations that it touches; those that it names first."""
    relations = {(one["schema"], one["name"]) for one in request.facts.get("relations", ())}
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    rows = Classification.objects.filter(datasource=request.datasource, schema__in={one[0] for one in relations})
    for row in rows:
        if (row.schema, row.relation) in relations:
            found[row.schema, row.relation, row.column] = (row.data_class, "")
    for mask in request.decision.get("masks", ()):
        found[mask["schema"], mask["relation"], mask["column"]] = (mask["data_class"], mask["mask"])
    used = _clauses(request.facts.get("columns", ()))
    shown = [Classified(".".join(name), *told, _used(name, used)) for name, told in found.items()]
    return sorted(shown, key=lambda one: (not one.clauses, one.name))


def _clauses(columns: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], list[str]]:
    return {(one["schema"], one["relation"], one["column"]): list(one["clauses"]) for one in columns}


def _used(name: tuple[str, str, str], used: Mapping[tuple[str, str, str], list[str]]) -> tuple[str, ...]:
    return tuple(sorted({*used.get(name, ()), *used.get((*name[:2], "*"), ())}))


# --- Earlier texts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """With an earlier text. `request`: whose it is, where it is another's; `values_differ`: the parameters are others."""

    title: str
    difference: Difference
    values_differ: bool = False
    request: Request | None = None

    @property
    def is_same(self) -> bool:
        return self.difference.is_same and not self.values_differ


def _comparisons(
    request: Request, viewer: Principal, agreed: Request | None, kept: Request | None
) -> Iterable[Comparison]:
    if request.kind != Request.Kind.STATEMENT or request.reverts_id is not None:
        return
    if request.revision > 1 and (old := _earlier_revision(request, viewer)) is not None:
        title = f"Edited: text {request.revision} beside text {old.number}"
        yield _compared(title, request, old)
    follows = request.follows
    if follows is not None:
        yield _compared("Beside what was approved, and drifted", request, follows, follows)
    if kept is not None and agreed is not None and agreed.pk != request.follows_id:
        yield _compared("Beside what was approved last", request, kept, agreed)


def _compared(title: str, request: Request, old: Request | Revision, whose: Request | None = None) -> Comparison:
    return Comparison(title, difference(old.sql, request.sql), old.params != request.params, whose)


def _kept_text(request: Request) -> Request:
    """The row was listed without its text, which is sealed."""
    return Request.objects.only("sql", "params").get(pk=request.pk)


def _earlier_revision(request: Request, viewer: Principal) -> Revision | None:
    """The one that the viewer has reviewed, if there is one; else the last before this."""
    mine = request.reviews.filter(reviewer_id=viewer.id, revision__lt=request.revision).order_by("-revision")
    number = mine.values_list("revision", flat=True).first() or request.revision - 1
    return Revision.objects.filter(request=request, number=number).first()
