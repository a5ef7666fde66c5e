"""Entries as events of the Open Cybersecurity Schema Framework, version 1.9.0. Pure; docs/ocsf.md tells the mapping.

Every entry becomes an event of one of five classes, also one of a kind that this release does not know. Whatever the
class has no place for is in `unmapped`, under the name that the entry gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.events import KINDS
from audit.exports.ocsf_parts import (
    ACTIVITIES,
    OTHER,
    PRODUCT,
    STATUSES,
    UNKNOWN_USER,
    Event,
    Fields,
    actor,
    ai_agent,
    decision,
    milliseconds,
    present,
    severity,
    source,
    user,
)
from audit.verbs import verb_of

VERSION = "1.9.0"
CATEGORIES = {3: "Identity & Access Management", 6: "Application Activity"}
Activity = tuple[int, str]


@dataclass(frozen=True, slots=True)
class OcsfClass:
    uid: int
    name: str


DATASTORE = OcsfClass(6005, "Datastore Activity")
API = OcsfClass(6003, "API Activity")
AUTHENTICATION = OcsfClass(3002, "Authentication")
ENTITY = OcsfClass(3004, "Entity Management")
USER = OcsfClass(3007, "User Management")

CRUD = {"added": 1, "issued": 1, "proposed": 1, "created": 1, "read": 2, "changed": 3, "rotated": 3, "removed": 4}
CREATE_READ_UPDATE_DELETE = {1: "Create", 2: "Read", 3: "Update", 4: "Delete"}
STANDING = {"activated": (10, "Activate"), "revoked": (11, "Deactivate"), "erased": (4, "Delete")}
# What is managed, by the first part of a kind's name: the id of its type, its caption, the fields that name it.
ENTITIES: Mapping[str, tuple[int, str, tuple[str, ...]]] = {
    "agent": (OTHER, "Agent", ("agent",)),
    "group": (3, "Group", ("name",)),
    "credential": (OTHER, "Credential", ("credential",)),
    "policy": (5, "Policy", ("proposal", "version")),
    "classification": (OTHER, "Data classification", ("column", "datasource")),
    "datasource": (OTHER, "Data source", ("datasource",)),
    "witness": (OTHER, "Witness", ("name",)),
    "forwarder": (OTHER, "Forwarder", ("name",)),
    "key": (OTHER, "Key of the log", ("key",)),
    "subject": (OTHER, "Subject", ("subject",)),
}
FAILED = frozenset({"failed", "cancelled", "aborted", "not_executed", "denied", "refused"})
DONE = frozenset({"executed", "committed", "done", "finished", "ok", "intact", "succeeded"})


def to_ocsf(fields: Mapping[str, Any], *, log: str) -> Event:
    """`fields`: everything in the entry's header, index, time and kind included. `log`: the name that the log signs with."""
    left = Fields({name: value for name, value in fields.items() if name not in ("v", "index", "time", "kind")})
    kind = str(fields.get("kind", ""))
    risk = left.take("risk", int)
    ocsf_class, make = _class_of(kind)
    activity, body = make(kind, left, milliseconds(fields.get("time")) or 0)
    decided = decision(kind, left, risk)
    if risk is not None and not decided:
        left.left["risk"] = risk
    event: Event = {
        **_classification(ocsf_class, activity),
        "time": milliseconds(fields.get("time")) or 0,
        "message": KINDS[kind].title if kind in KINDS else kind or "An entry that cannot be read",
        **severity(risk, body.pop("least_severity", 1)),
        **decided,
        **body,
    }
    event["metadata"] = _metadata(fields, kind, log, left, event)
    if left.left:
        event["unmapped"] = left.left
    return event


def _classification(ocsf_class: OcsfClass, activity: Activity) -> Event:
    category = ocsf_class.uid // 1000
    return {
        "class_uid": ocsf_class.uid,
        "class_name": ocsf_class.name,
        "category_uid": category,
        "category_name": CATEGORIES[category],
        "activity_id": activity[0],
        "activity_name": activity[1],
        "type_uid": ocsf_class.uid * 100 + activity[0],
        "type_name": f"{ocsf_class.name}: {activity[1]}",
    }


def _metadata(fields: Mapping[str, Any], kind: str, log: str, left: Fields, event: Event) -> Event:
    index = fields.get("index")
    profiles = [
        name for name, sign in (("security_control", "action_id"), ("ai_operation", "ai_agent")) if sign in event
    ]
    return {
        "version": VERSION,
        "product": dict(PRODUCT),
        "uid": f"{log}#{index}",
        "log_name": log,
        **present(
            event_code=kind,
            profiles=profiles,
            original_time=str(fields.get("time") or ""),
            correlation_uid=left.take("query") or left.see("request"),
        ),
    }


Made = tuple[Activity, Event]
Maker = Callable[[str, Fields, int], Made]


def _class_of(kind: str) -> tuple[OcsfClass, Maker]:
    subject = kind.partition(".")[0]
    if kind == "statement.checked":
        return API, _api
    if subject in ("statement", "execution") or kind == "result.read":
        return DATASTORE, _datastore
    if subject == "signin" or kind == "credential.refused":
        return AUTHENTICATION, _authentication
    if subject == "user":
        return USER, _user
    if subject in ENTITIES:
        return ENTITY, _entity
    return API, _api


def _who(fields: Fields) -> Event:
    """Everything that says who acts and from where, for classes that any principal can cause."""
    acting = fields.see("actor") or fields.see("principal")
    found = {"actor": actor(fields), "src_endpoint": source(fields)}
    agent = ai_agent(fields, acting if isinstance(acting, str) else None)
    return {**found, "ai_agent": agent} if agent else found


def _status(kind: str, fields: Fields) -> Event:
    """The outcome, as far as the entry tells one: an intent has none yet."""
    said = fields.take("status")
    verb = kind.partition(".")[2]
    number = 1
    if said in FAILED or verb in ("denied", "refused", "failed", "rejected"):
        number = 2
    elif said == "unknown":
        number = 0
    elif (said is not None and said not in DONE) or verb in ("intent", "parked", "started", "requested", "proposed"):
        number = OTHER
    shown = said or verb if number == OTHER else STATUSES[number]
    code = fields.take("sqlstate") or fields.take("code") or fields.take("error")
    detail = said if number != OTHER else None
    return {"status_id": number, "status": shown or "Other", **present(status_code=code, status_detail=detail)}


def _datastore(kind: str, fields: Fields, _time: int) -> Made:
    normal = fields.take("sql_normal") or ""
    kinds = fields.see("kinds") if isinstance(fields.see("kinds"), list) else []
    verb = fields.take("verb") or verb_of(map(str, kinds), normal)
    activity = (1, "Read") if kind == "result.read" else ACTIVITIES.get(verb, (OTHER, verb))
    name, relations = fields.take("datasource"), fields.see("relations")
    table = relations[0] if isinstance(relations, list) and relations else None
    if table is not None and len(relations) == 1:
        fields.take("relations", list)
    query: Event = {}
    if normal:
        told = present(uid=fields.take("fingerprint"), bytes=fields.take("bytes", int))
        query = {"query_string": normal, "name": verb or "statement", **told}
    body = {
        **_who(fields),
        **_status(kind, fields),
        "type_id": 1,
        "type": "Database",
        "database": {"name": name or "unknown", "type_id": 1, "type": "Relational"},
        **present(table={"name": str(table), "uid": str(table)} if table else None, query_info=query),
    }
    return activity, body


def _authentication(kind: str, fields: Fields, time: int) -> Made:
    label = fields.take("principal")
    # The name that was tried, where nobody is known by it; beside a principal it stays among what is unmapped.
    name = None if label else fields.take("username")
    shown = user(label, credential_uid=fields.take("credential")) if label else dict(UNKNOWN_USER)
    if name and not label:
        shown["name"] = name
    token = kind == "credential.refused"
    protocol = (OTHER, "Bearer token") if token else (OTHER, "Password")
    body = {
        "user": shown,
        "src_endpoint": source(fields),
        "service": {"name": "Countersign"},
        "auth_protocol_id": protocol[0],
        "auth_protocol": protocol[1],
        "logon_type_id": 3,
        "logon_type": "Network",
        "is_remote": True,
        **_status(kind, fields),
        **_aggregate(fields, time),
        "least_severity": {"signin.failed": 2, "credential.refused": 3}.get(kind, 1),
    }
    if token:
        # Where the status needed the place, the reason stays among what is unmapped.
        body |= {} if "status_detail" in body else present(status_detail=fields.take("reason"))
    return ((2, "Logoff") if kind == "signin.ended" else (1, "Logon")), body


def _aggregate(fields: Fields, time: int) -> Event:
    """Several refusals that one entry tells of."""
    count, since = fields.see("count"), milliseconds(fields.see("since"))
    if not isinstance(count, int) or isinstance(count, bool) or count < 2 or since is None:
        return {}
    fields.take("count", int)
    fields.take("since")
    return {"count": count, "start_time": min(since, time), "end_time": time, "duration": max(0, time - since)}


def _user(kind: str, fields: Fields, _time: int) -> Made:
    verb, changes = kind.partition(".")[2], fields.see("changes")
    activity = {"added": (1, "Create"), "removed": (3, "Delete")}.get(verb, (2, "Update"))
    if changes == ["password"]:
        activity = (8, "Password Change")
    elif changes == ["active"]:
        activity = (4, "Enable") if fields.see("is_active") is True else (5, "Disable")
    name = fields.take("user")
    managed = user(f"user:{name}") if name else dict(UNKNOWN_USER)
    return activity, {**_who(fields), "user": managed, **_status(kind, fields)}


def _entity(kind: str, fields: Fields, _time: int) -> Made:
    subject, _, verb = kind.partition(".")
    type_id, caption, names = ENTITIES[subject]
    named = next((str(fields.see(name)) for name in names if fields.see(name) not in (None, "", [])), "")
    name = f"{fields.see('datasource')}: {named}" if subject == "classification" and named else named
    entity = {"type_id": type_id, "type": caption, "name": name or caption, **present(uid=named)}
    comment = fields.take("comment") or fields.take("reason")
    body = {**_who(fields), "entity": entity, **_status(kind, fields), **present(comment=comment)}
    return STANDING.get(verb) or _crud(verb, kind), body


def _api(kind: str, fields: Fields, _time: int) -> Made:
    verb = kind.partition(".")[2]
    call = {"operation": kind or "unknown", "service": {"name": "Countersign"}}
    if request := fields.see("request") or fields.see("export"):
        call["request"] = {"uid": str(request)}
    return _crud(verb, kind), {**_who(fields), "api": call, **_status(kind, fields)}


def _crud(verb: str, kind: str) -> Activity:
    number = CRUD.get(verb)
    if number is not None:
        return number, CREATE_READ_UPDATE_DELETE[number]
    return OTHER, KINDS[kind].title if kind in KINDS else kind or "Other"
