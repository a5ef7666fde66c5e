"""Questions for the policies, with everything ordinary filled in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from governance.analysis.facts import Facts, Hazard, Kind, RelationUse, Unknown, Use
from governance.policy.program import PolicyProgram, compile_policy_set
from governance.policy.question import Question
from governance.policy.store import default_text

MONDAY_MORNING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CLASSES = {
    ("public", "customers"): {"email": "email", "full_name": "person_name"},
    ("public", "cards"): {"number": "card_number"},
}
DEFAULT = compile_policy_set(default_text(), version=1)


def facts(
    *kinds: str, hazards: Iterable[str] = (), unknown: Iterable[str] = (), uses: Iterable[str] = (), **fields: Any
) -> Facts:
    """`uses` are written `read orders` or `delete hr.people`."""
    return Facts(
        kinds=frozenset(map(Kind, kinds)),
        fingerprint="50fde20626009aba",
        normal="SELECT ?",
        relations=tuple(relation_use(use) for use in uses),
        hazards=tuple(Hazard(code, f"It has {code}.", 0) for code in hazards),
        unknown=tuple(Unknown(what, "nobody knows it", 0) for what in unknown),
        **fields,
    )


def relation_use(text: str) -> RelationUse:
    use, name = text.split()
    schema, _, relation = name.rpartition(".")
    return RelationUse(schema or "public", relation, Use(use))


READ_ORDERS = facts("read", uses=["read orders"])
READ_CUSTOMERS = facts("read", uses=["read customers"])
DELETE_ALL = facts("write", uses=["delete orders"], hazards=["delete-without-where"])


def ask(of: Facts, **fields: Any) -> Question:
    ordinary: dict[str, Any] = {
        "principal": "agent:analyst-bot",
        "kind": "agent",
        "name": "analyst-bot",
        "groups": frozenset({"analysts"}),
        "owner": "ada",
        "is_administrator": False,
        "datasource": "shop",
        "environment": "prod",
        "classes": {},
        "door": "rest",
        "now": MONDAY_MORNING,
    }
    return Question(facts=of, **(ordinary | fields))


def person(name: str = "rita", *groups: str) -> dict[str, Any]:
    return {"principal": f"user:{name}", "kind": "user", "name": name, "owner": name, "groups": frozenset(groups)}


def program(*policies: str) -> PolicyProgram:
    return compile_policy_set("\n".join(policies), version=7)


READS = '@id("reads") permit (principal, action == Action::"read", resource);'
WRITES = '@id("writes") permit (principal, action == Action::"write", resource);'
SHOWS = '@id("shows") permit (principal, action == Action::"unmask", resource);'
