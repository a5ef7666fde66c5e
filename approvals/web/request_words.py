"""What a request asks for, and what each button on its page would do, in words for whoever decides. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from approvals.impact.showing import ShownImpact
from approvals.models import Impact, Request
from approvals.quorum import Standing
from approvals.story import span_of

# What is said of each use of a relation, the gravest first.
DOING = {
    "truncate": "Empties",
    "delete": "Deletes rows of",
    "update": "Changes rows of",
    "insert": "Adds rows to",
    "define": "Changes the definition of",
    "lock": "Locks rows of",
    "read": "Reads",
}
ONE_ROW = {"delete": "Deletes at most one row of", "update": "Changes at most one row of"}
# By how a statement that defines something begins.
DEFINING = (
    (r"CREATE( UNIQUE)? INDEX", "Builds an index on"),
    (r"(CREATE|ALTER|DROP) TRIGGER", "Changes the triggers of"),
    (r"REINDEX", "Builds the indexes anew of"),
    (r"DROP", "Drops"),
    (r"CREATE", "Creates"),
    (r"COMMENT", "Changes the comment of"),
)
# How the sentence about an impact begins where the trial run failed.
FAILS = "Would fail: "
KINDS = {
    "privilege": "Changes who may do what",
    "ddl": "Changes the schema",
    "opaque": "Runs code that cannot be read before it runs",
    "admin": "Administers the server",
}


# --- What it asks for ---------------------------------------------------------------------------------------------


def sentence_of(request: Request, impact: ShownImpact | None) -> str:
    """The one that says what an approval would let happen; measured numbers only where the viewer may see the impact."""
    place = f" on {request.datasource.name} ({request.datasource.get_environment_display()})"
    deed = _deed(request, impact)
    fails, _, why = deed.partition(FAILS)
    return f"{fails}Would fail{place}: {why}." if why else f"{deed}{place}."


def _deed(request: Request, impact: ShownImpact | None) -> str:
    match request.kind:
        case Request.Kind.ELEVATION:
            return _elevation(request)
        case Request.Kind.AFTERWARDS:
            return _afterwards(request)
    if impact is not None and impact.state == Impact.State.MEASURED and impact.content.tried and impact.sentence:
        deed = _measured(request, impact)
    else:
        deed = _by_facts(request.facts)
    return (
        deed
        if request.reverts_id is None or deed.startswith(FAILS)
        else f"Takes back an earlier change: {deed[:1].lower()}{deed[1:]}"
    )


def _measured(request: Request, impact: ShownImpact) -> str:
    """A definition is told by what is done to it."""
    deed, defines = impact.sentence.rstrip("."), DOING["define"]
    return deed.replace(defines, _defining(request.facts, defines), 1) if impact.content.defines else deed


def _elevation(request: Request) -> str:
    seconds = request.asked.get("seconds")
    during = f" for {span_of(int(seconds))}" if seconds else ""
    return f"Makes {bare(request.requester)} count as a member of {request.asked.get('group', 'a group')}{during}"


def _afterwards(request: Request) -> str:
    grant = request.grant
    runs = 0 if grant is None else grant.uses
    who = bare(request.requester if grant is None else grant.principal)
    told = "no statement" if not runs else "1 statement" if runs == 1 else f"{runs:,} statements"
    return f"Looks back at what {who} did with broken glass: {told} ran without a review"


def bare(label: str) -> str:
    """`agent:bot` as `bot`."""
    return label.partition(":")[2] or label


def _by_facts(facts: Mapping[str, Any]) -> str:
    kinds = facts.get("kinds", ())
    if "privilege" in kinds or "opaque" in kinds:
        return next(words for kind, words in KINDS.items() if kind in kinds)
    for use, words in DOING.items():
        names = relations_with(use, facts)
        if names and use == "define":
            return f"{_defining(facts, words)} {listed(names)}"
        if names:
            one = ONE_ROW.get(use) if facts.get("by_key") and len(names) == 1 else None
            return f"{one or words} {listed(names)}"
    return next((words for kind, words in KINDS.items() if kind in kinds), "Runs a statement that touches no relation")


def relations_with(use: str, facts: Mapping[str, Any]) -> list[str]:
    """What the text names comes before what a cascade reaches."""
    found = {(one["schema"], one["name"]) for one in facts.get("relations", ()) if one["use"] == use}
    return [".".join(one) for one in sorted(found, key=lambda one: (one[1] not in facts.get("normal", ""), one))]


def _defining(facts: Mapping[str, Any], otherwise: str) -> str:
    normal = facts.get("normal", "").lstrip()
    return next((words for start, words in DEFINING if re.match(rf"{start}\b", normal, re.IGNORECASE)), otherwise)


def listed(names: Sequence[str], most: int = 2) -> str:
    """`a, b and 3 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(names)


# --- What the buttons do ------------------------------------------------------------------------------------------


def approving(request: Request, standing: Standing, after: Standing, opens: str, bounded: str) -> str:
    """What pressing Approve brings about. `after`: as it would stand then; `opens`: when it could run, empty for at once;
    `bounded`: what is said of the rows that it may change."""
    if not after.is_met:
        return _not_enough(standing, after)
    match request.kind:
        case Request.Kind.ELEVATION:
            return "It begins at once, and ends by itself."
        case Request.Kind.AFTERWARDS:
            return "What was done is then settled as right. Nothing runs."
    if request.carrier == Request.Carrier.CALLER:
        return f"Everybody has then agreed: the session that asked may run it, once{bounded}."
    when = f"It then runs {opens}, once" if opens else "It then runs at once, once"
    return f"{when}{bounded}."


def bounded(request: Request, impact: ShownImpact | None, bound: int | None) -> str:
    """How many rows it may change. `bound`: what those who approved agreed to so far, or what was measured."""
    if impact is None or impact.content.reads_only or impact.content.defines or not _writes(request.facts):
        return ""
    if bound is not None:
        return f", and changes at most {bound:,} row{'' if bound == 1 else 's'}"
    if impact.is_waiting:
        return "; it is measured first, and that bounds its rows"
    return "; nothing bounds how many rows it changes, unless you do"


def _writes(facts: Mapping[str, Any]) -> bool:
    return any(one["use"] in ("insert", "update", "delete", "truncate") for one in facts.get("relations", ()))


def _not_enough(standing: Standing, after: Standing) -> str:
    waits = waiting_for(after)
    if after.stage != standing.stage:
        number, of = stage_number(standing), len(stages_of(standing))
        return f"Stage {number} of {of} is then complete; {waits} must still agree before it runs."
    return f"It is then still waiting: {waits} must agree before it runs."


def rejecting(request: Request) -> str:
    match request.kind:
        case Request.Kind.ELEVATION:
            return "One rejection ends it: the rights are not given, and whoever asked reads your comment."
        case Request.Kind.AFTERWARDS:
            return (
                "One rejection settles it: your comment stands beside what was done. What ran is not taken back by it."
            )
    return "One rejection ends it: it never runs, and whoever asked reads your comment."


def waiting_for(standing: Standing) -> str:
    """`1 more of dba and 2 of security`, over all stages that still lack somebody."""
    pairs = zip(standing.demands, standing.given, strict=True)
    lacking = [
        f"{one.review.quorum - given}{' more' if given else ''} of {one.review.group}"
        for one, given in pairs
        if given < one.review.quorum
    ]
    return " and ".join(lacking)


def stages_of(standing: Standing) -> list[int]:
    return sorted({demand.stage for demand in standing.demands})


def stage_number(standing: Standing) -> int:
    """The stage whose turn it is, counted from 1: policies number as they like."""
    return 1 + sum(stage < standing.stage for stage in stages_of(standing))
