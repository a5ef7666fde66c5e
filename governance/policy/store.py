"""Versions of the policy set in the control database, and the active one kept compiled in this process."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from django.db import connection, transaction
from django.db.models import QuerySet

from audit import ledger
from governance.errors import GatewayError, ServiceUnavailable
from governance.models import PolicySet
from governance.policy.problems import PolicyError
from governance.policy.program import PolicyProgram, compile_policy_set
from governance.policy.surroundings import examine
from governance.versions import Versions, change

DEFAULT_AUTHOR = "Countersign"
DEFAULT_COMMENT = "The default policy set"
LONGEST_COMMENT = 300
# Any number, as long as nothing else in the control database locks by it.
_LOCK = 0x706F6C696379

_compiled: dict[int, PolicyProgram] = {}


class CommentTooLong(ValueError):
    """A comment on a policy set has at most 300 characters."""


class UnknownVersion(GatewayError):
    code: ClassVar[str] = "unknown-version"
    title: ClassVar[str] = "No such version"
    status: ClassVar[int] = 404


def default_text() -> str:
    return Path(__file__).with_name("default.cedar").read_text()


def ensure_default(actor: str = DEFAULT_AUTHOR) -> PolicyProgram:
    """Where there has never been a policy set, the default one becomes the first; else the active one stays."""
    if not PolicySet.objects.exists():
        with transaction.atomic():
            lock()
            if not PolicySet.objects.exists():
                put_in_force(compile_policy_set(default_text()), actor, DEFAULT_COMMENT)
    return active()


def active(versions: Versions | None = None) -> PolicyProgram:
    """One small SELECT, unless `versions` tells. Raises `ServiceUnavailable` when there is nothing to decide by: then
    nothing is permitted."""
    version = versions.policy if versions else _active_version()
    if version is None:
        if not PolicySet.objects.exists():
            return ensure_default()
        raise ServiceUnavailable("No policy set is active.", remedy="Activate one: policy apply FILE")
    program = _compiled.get(version)
    if program is None:
        program = _compile_stored(PolicySet.objects.get(version=version))
        _compiled.clear()
        _compiled[version] = program
    return program


def _active_version() -> int | None:
    return PolicySet.objects.filter(is_active=True).values_list("version", flat=True).first()


def _compile_stored(stored: PolicySet) -> PolicyProgram:
    try:
        return compile_policy_set(stored.text, stored.version)
    except PolicyError as error:
        raise ServiceUnavailable(
            f"The active {stored} cannot be read: {error}", remedy="Correct it and activate it anew: policy apply FILE"
        ) from error


def activate(text: str, author: str, comment: str = "") -> PolicyProgram:
    """Puts a policy set into force as a new version, without asking the active one: for an installation's first steps.
    People and the command line go through `proposals.submit`.

    Raises `PolicyError` when it is not sound; then nothing changes. The text that is active stays the version that it is.
    """
    check_comment(comment)
    found = examine(text)
    if found.program is None:
        raise PolicyError(found.problems)
    with transaction.atomic():
        lock()
        put_in_force(found.program, author, comment)
    return active()


def check_comment(comment: str) -> None:
    if len(comment) > LONGEST_COMMENT:
        raise CommentTooLong(f"The comment has {len(comment)} characters; at most {LONGEST_COMMENT} are kept.")


def lock() -> None:
    """One change of policies at a time; readers are not held up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def put_in_force(program: PolicyProgram, author: str, comment: str, **more: Any) -> int:
    """Under the lock, within the caller's transaction. Returns the version; `more` are fields of the ledger's entry."""
    before = PolicySet.objects.filter(is_active=True).first()
    if before is not None and before.text == program.text:
        return before.version
    newest = PolicySet.objects.order_by("-version").values_list("version", flat=True).first() or 0
    PolicySet.objects.filter(is_active=True).update(is_active=False)
    stored = PolicySet.objects.create(
        version=newest + 1, text=program.text, author=author, comment=comment, is_active=True
    )
    change()
    ledger.append_within(
        "policy.activated",
        actor=author,
        version=stored.version,
        previous=before.version if before else None,
        digest=hashlib.sha256(program.text.encode()).hexdigest(),
        comment=comment or None,
        **more,
    )
    return stored.version


def versions() -> QuerySet[PolicySet]:
    """Newest first."""
    ensure_default()
    return PolicySet.objects.all()


def fetch_version(version: int | None = None) -> PolicySet:
    """This version, or the active one. Raises `UnknownVersion`."""
    ensure_default()
    found = PolicySet.objects.filter(**({"is_active": True} if version is None else {"version": version})).first()
    if found is None:
        known = ", ".join(map(str, PolicySet.objects.values_list("version", flat=True)[:20]))
        raise UnknownVersion(f"There is no version {version} of the policy set.", remedy=f"Versions: {known}.")
    return found


def program_of(stored: PolicySet) -> PolicyProgram:
    """Compiled anew, unless it is the active one. Raises `PolicyError` for a text that this release does not accept."""
    return active() if stored.is_active else compile_policy_set(stored.text, stored.version)
