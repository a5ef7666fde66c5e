"""Verifies ranges side by side, in processes that all see the same moment of the database.

They are started anew and know nothing of Django, so a range is verified without its models.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from audit.verification.ranges import Outcome, Task, check_range
from audit.verification.stored import Session, snapshot

# Below this a second process costs more than it saves.
WORTH_TWO = 40_000


@contextmanager
def outcomes_of(
    parameters: dict[str, Any], name: str, session: Session, plan: Sequence[Task], processes: int
) -> Iterator[Iterator[Outcome]]:
    """Outcomes in the order of the plan. What was begun and is not asked for any more is given up."""
    # A task of Celery runs in a process that may have no children.
    alone = processes < 2 or multiprocessing.current_process().daemon or (os.cpu_count() or 1) < 2
    if alone or sum(task.end - task.first for task in plan) < WORTH_TWO:
        yield (check_range(session, task) for task in plan)
        return
    # Not forked: a child must not have its parent's connections and threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _Work.begin, (parameters, name))
    try:
        yield pool.map(_Work.check, plan)
    finally:
        pool.shutdown(cancel_futures=True)


class _Work:
    """What a process holds until it ends; its connection is closed with it."""

    opened: AbstractContextManager[tuple[Session, str]]
    session: Session

    @classmethod
    def begin(cls, parameters: dict[str, Any], name: str) -> None:
        cls.opened = snapshot(parameters, name)
        cls.session = cls.opened.__enter__()[0]

    @classmethod
    def check(cls, task: Task) -> Outcome:
        return check_range(cls.session, task)
