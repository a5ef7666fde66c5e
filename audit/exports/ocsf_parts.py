"""Parts of OCSF events: who, where, what decided, and the captions that go with ids. Pure.

Ids and captions are those of OCSF 1.9.0 (https://schema.ocsf.io/1.9.0/, Apache-2.0).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Event = dict[str, Any]

PRODUCT = {"name": "Countersign", "vendor_name": "Countersign"}
SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
RISK_LEVELS = {0: "Info", 1: "Low", 2: "Medium", 3: "High", 4: "Critical"}
STATUSES = {0: "Unknown", 1: "Success", 2: "Failure", 99: "Other"}
# The id of an activity or type that the schema has no name for; the caption then is ours.
OTHER = 99


class Fields:
    """The fields of one entry. What is not taken is told as unmapped: nothing is dropped."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._left = dict(fields)

    def take(self, name: str, kind: type = str) -> Any:
        """None where the entry has none, or one of another type, which stays."""
        value = self._left.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            return None
        return self._left.pop(name)

    def see(self, name: str) -> Any:
        return self._left.get(name)

    @property
    def left(self) -> Event:
        return self._left


def milliseconds(text: object) -> int | None:
    """Since 1970, of a time as entries spell it."""
    try:
        return round(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def present(**values: Any) -> Event:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


# --- Who ----------------------------------------------------------------------------------------------------------


def user(label: str, **more: Any) -> Event:
    """Of a principal's label (`user:rita`, `agent:ops-bot`), or of what acted by itself (`gateway`, `command line`)."""
    kind, colon, name = label.partition(":")
    types = {"user": (1, "User"), "agent": (4, "Service")}
    type_id, caption = types.get(kind, (3, "System")) if colon else (3, "System")
    known = colon and kind in types and name
    return {"name": name if known else label, "uid": label, "type_id": type_id, "type": caption, **present(**more)}


NOBODY = {"name": "Countersign", "uid": "countersign", "type_id": 3, "type": "System"}
UNKNOWN_USER = {"name": "unknown", "type_id": 0, "type": "Unknown"}


def actor(fields: Fields) -> Event:
    """Whoever did it. Where somebody else is named as principal, it is whose statement or request it is, and stays."""
    label = fields.take("actor") or fields.take("principal")
    acting = user(label, credential_uid=fields.take("credential")) if label else dict(NOBODY)
    run = fields.see("run")
    return {"user": acting, **present(session=present(uid=run if isinstance(run, str) else None))}


def ai_agent(fields: Fields, label: str | None) -> Event | None:
    """The agent that acted, its run and the model that it said it uses. Only the name of a model is known."""
    if not label or not label.startswith("agent:"):
        return None
    model = fields.take("model")
    return {
        "uid": label,
        "name": label.removeprefix("agent:") or label,
        "type_id": 0,
        "type": "Unknown",
        **present(
            instance_uid=fields.take("run"),
            ai_model={"name": model, "ai_provider": "Unknown"} if model else None,
        ),
    }


def source(fields: Fields) -> Event:
    """The door that it came in by, and the address where one is known."""
    address, door = fields.take("address"), fields.take("door")
    try:
        place = {"ip": str(ipaddress.ip_address(address))} if address else {}
    except ValueError:
        place = {"name": address}
    return {**place, "svc_name": f"Countersign {door}" if door else "Countersign"}


# --- The decision -------------------------------------------------------------------------------------------------

ACTIONS = {1: "Allowed", 2: "Denied", 4: "Modified"}
DISPOSITIONS = {1: "Allowed", 2: "Blocked", 8: "Approved", 14: "Delayed", 25: "Rejected"}
BY_VERDICT = {"allow": (1, 1), "review": (4, 14), "deny": (2, 2)}
BY_KIND = {"request.approved": (1, 8), "request.rejected": (2, 25), "policy.rejected": (2, 25)}
HIGH_RISK = 60


def decision(kind: str, fields: Fields, risk: int | None) -> Event:
    """The profile `security_control`; empty where nothing was decided."""
    found = BY_KIND.get(kind) or BY_VERDICT.get(str(fields.see("verdict")))
    if found is None:
        return {}
    fields.take("verdict")
    (action, disposition), version, named = found, None, fields.see("policies")
    if isinstance(named, list) and named and all(isinstance(name, str) for name in named):
        fields.take("policies", list)
        version = fields.take("policy_version", int)
    else:
        # Without a policy that it belongs to, the version stays among what is unmapped.
        named = []
    policies = [present(name=name, uid=name, version=str(version) if version is not None else None) for name in named]
    level = _level(risk)
    return {
        "action_id": action,
        "action": ACTIONS[action],
        "disposition_id": disposition,
        "disposition": DISPOSITIONS[disposition],
        "is_alert": action == 2 or (risk or 0) >= HIGH_RISK,
        **present(
            policy={**policies[0], "is_applied": True} if policies else None,
            authorizations=[{"decision": ACTIONS[action], "policy": policy} for policy in policies],
        ),
        **({} if risk is None else {"risk_score": risk, "risk_level_id": level, "risk_level": RISK_LEVELS[level]}),
    }


def _level(risk: int | None) -> int:
    return min(4, max(0, risk or 0) // 20)


def severity(risk: int | None, least: int = 1) -> Event:
    number = max(least, min(5, _level(risk) + 1))
    return {"severity_id": number, "severity": SEVERITIES[number]}


# --- What the statement does --------------------------------------------------------------------------------------

# Activities of class 6005, by `audit.verbs`.
ACTIVITIES = {
    "SELECT": (4, "Query"),
    "INSERT": (6, "Create"),
    "UPDATE": (2, "Update"),
    "DELETE": (7, "Delete"),
    "TRUNCATE": (7, "Delete"),
    "MERGE": (5, "Write"),
    "WRITE": (5, "Write"),
    "DDL": (OTHER, "DDL"),
    "OTHER": (OTHER, "Other"),
    "": (0, "Unknown"),
}
