"""Verifies the live tables, in one snapshot and with bounded memory: recompute everything, name what is wrong first (P6).

The log is cut into ranges that are verified by themselves, on two cores where there is enough to do, and put together
in order. It shows that the entries are exactly those that the head was computed from, and that every stored checkpoint
is of them. Who can rewrite all of that can rewrite the log: only a root that was kept elsewhere (`kept`) shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db import connections

from audit.merkle import Frontier
from audit.transparency.notes import NoteError, VerifierKey
from audit.verification.archived import check_archives
from audit.verification.findings import CannotVerify, Fault, Noted, Progress, Report
from audit.verification.gone import check_erased, check_keys, check_lacking, check_moved_away
from audit.verification.growth import Growth, check_head
from audit.verification.ranges import WIDTH, Outcome, Task
from audit.verification.stored import Head, Session, read_head, snapshot
from audit.verification.strays import check_strays
from audit.verification.testimony import Testimony
from audit.verification.workers import outcomes_of

SPAN = 64 * WIDTH
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """What to verify. `since`: entries after a checkpoint that is trusted; `within`: those from one index to before another.

    Of all other entries only the hashes are used. `archives`: read the archives too. `signers`: verifier keys, of which
    one must have signed the newest checkpoint.
    """

    kept: tuple[Noted, ...] = ()
    since: Noted | None = None
    within: tuple[int, int] | None = None
    archives: bool = False
    signers: tuple[str, ...] = ()

    @property
    def noted(self) -> list[Noted]:
        return [*self.kept, *([self.since] if self.since else [])]


def verify_ledger(
    expected: Noted | None = None,
    *,
    scope: Scope | None = None,
    progress: Progress | None = None,
    processes: int = PROCESSES,
) -> Report:
    """Raises `CannotVerify` if the scope names entries that the log does not have."""
    scope = scope or Scope()
    if expected:
        scope = replace(scope, kept=(*scope.kept, expected))
    parameters = _connection_parameters()
    with snapshot(parameters) as (session, name):
        head = read_head(session)
        if isinstance(head, Fault):
            return Report(0, Frontier().root().hex(), head)
        try:
            keys = _published_keys(session)
        except NoteError as error:
            return Report(0, "", Fault(0, str(error), subject="the list of the log's keys"), size=head.size)
        plan = _plan(head, scope, keys)
        with outcomes_of(parameters, name, session, plan, processes) as outcomes:
            return _Inspection(session, head, scope, progress).run(plan, outcomes)


class _Inspection:
    def __init__(self, session: Session, head: Head, scope: Scope, progress: Progress | None) -> None:
        self.session, self.head, self.scope, self.progress = session, head, scope, progress
        self.is_whole = scope.since is None and scope.within is None
        self.growth = Growth(session, scope.noted, compare_tiles=self.is_whole)
        self.testimony = Testimony(session, head.first)
        self.lacking: dict[str, int] = {}
        self.count = 0

    def run(self, plan: Sequence[Task], outcomes: Iterator[Outcome]) -> Report:
        fault = self.growth.check_empty() or self._walk(plan, outcomes)
        faults = [fault] if fault else []
        if lacking := check_lacking(self.testimony, self.lacking):
            faults.append(lacking)
        if not faults:
            faults += self._afterwards()
        first = min(faults, key=lambda fault: fault.index, default=None)
        checked = [task for task in plan if task.how != "hashes"]
        root = "" if fault else self.growth.whole(self.head.size).root().hex()
        return Report(
            self.count,
            root,
            first,
            checked[0].first if checked else 0,
            checked[-1].end if checked else 0,
            self.head.size,
            sum(task.end - task.first for task in checked if task.how == "archived"),
            self.growth.checkpoints,
            self.growth.signed_by,
        )

    def _walk(self, plan: Sequence[Task], outcomes: Iterator[Outcome]) -> Fault | None:
        total = sum(task.end - task.first for task in plan)
        for task, outcome in zip(plan, outcomes, strict=True):
            fault = self.growth.take(task.first, outcome) or outcome.fault
            if task.how != "hashes":
                self.count += outcome.count
            for key, index in outcome.lacking.items():
                self.lacking.setdefault(key, index)
            if fault:
                return fault
            if self.progress:
                self.progress(task.end, total)
        return None

    def _afterwards(self) -> Iterator[Fault]:
        """What shows only once the tree is whole."""
        if fault := check_head(self.growth.whole(self.head.size), self.head.frontier):
            yield fault
        for noted in self.scope.noted:
            if noted.size > self.head.size:
                what = f"is missing: the log had {noted.size} entries when its root was noted"
                yield Fault(self.head.size, what)
        yield from self._signers()
        if self.is_whole:
            yield from check_strays(self.session, self.head)
            for check in (check_moved_away, check_erased, check_keys):
                if fault := check(self.testimony):
                    yield fault
        if self.scope.archives and (fault := check_archives(self.head.first, self.scope.within, self.progress)):
            yield fault

    def _signers(self) -> Iterator[Fault]:
        asked, found = {*self.scope.signers}, {*self.growth.signed_by}
        if asked and found and not asked & found:
            yield Fault(0, f"it is signed by {', '.join(self.growth.signed_by)} only", subject="the newest checkpoint")
        elif asked and not found and self.is_whole:
            yield Fault(0, "none is stored, so none that your key signed", subject="the newest checkpoint")


# --- What to do -----------------------------------------------------------------------------------------------------


def _plan(head: Head, scope: Scope, keys: tuple[str, ...]) -> list[Task]:
    first, end = _asked(head, scope)
    sizes = sorted({noted.size for noted in scope.noted if 0 < noted.size <= head.size})
    plan = []
    for start, stop, how in _parts(head, first, end):
        for at in range(start, stop, SPAN):
            until = min(at + SPAN, stop)
            inside = tuple(size for size in sizes if at < size <= until)
            plan.append(Task(at, until, how, head.taken, inside, keys))
    return plan


def _asked(head: Head, scope: Scope) -> tuple[int, int]:
    """Widened to whole tiles."""
    if scope.within:
        first, end = scope.within
        if not 0 <= first < end <= head.size:
            raise CannotVerify(f"the log has the entries 0 to {head.size - 1}: a range of it cannot be {first}:{end}")
        return first // WIDTH * WIDTH, min(-(-end // WIDTH) * WIDTH, head.size)
    return (min(scope.since.size, head.size) // WIDTH * WIDTH if scope.since else 0), head.size


How = Literal["entries", "hashes", "archived"]


def _parts(head: Head, first: int, end: int) -> Iterator[tuple[int, int, How]]:
    moved = min(head.first // WIDTH * WIDTH, end)
    parts: list[tuple[int, int, How]] = [
        (0, first, "hashes"),
        (first, max(first, moved), "archived"),
        (max(first, moved), end, "entries"),
        (end, head.size, "hashes"),
    ]
    yield from (part for part in parts if part[0] < part[1])


def _published_keys(session: Session) -> tuple[str, ...]:
    """Raises `NoteError` for a row that cannot be a key of the log."""
    keys = []
    for id_, name, public in session.execute(
        "SELECT id, name, public FROM audit_logkey ORDER BY created_at"
    ).fetchall():
        key = VerifierKey(name, 1, bytes(public))
        if len(key.public) != 32 or key.id.hex() != id_:
            raise NoteError(f"the key {id_} was changed: its id is not that of name and public key")
        keys.append(str(key))
    return tuple(keys)


def _connection_parameters() -> dict[str, Any]:
    """A connection of its own, to the database that Django uses: what it sees must not change meanwhile."""
    parameters = connections["default"].get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    return {**parameters, "application_name": "countersign-verify", "prepare_threshold": None}
