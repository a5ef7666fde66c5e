"""From a reviewer's click to the executed result, through a real worker, beside a bare round trip of Celery.

Both wait for a state in the control database, looked at as often, so what is compared is what lies in between: the claim, the
statement decided again, intent, run, transaction id, outcome, result.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.ground import ROOT, governed_shop, scratch_database

ROUNDS = 40
LOOK_SECONDS = 0.002
SQL = "UPDATE orders SET status = 'seen' WHERE id BETWEEN {first} AND {last}"


def main() -> None:
    with scratch_database() as control, governed_shop(control), worker():
        bare = [bare_round_trip() for _ in range(ROUNDS)]
        review = reviewer()
        approved = [approve_and_wait(review, number) for number in range(ROUNDS)]
    told("a task that does nothing, published to done", bare)
    told("approve to executed, 10 rows", approved)
    print(f"  ratio of the medians: {median(approved) / median(bare):.1f}")


@contextmanager
def worker() -> Iterator[None]:
    name = f"bench-{os.getpid()}@approvals"
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=2", f"--hostname={name}"]
    command += ["--queues=parked,execute,maintenance", "--without-gossip", "--without-mingle", "--loglevel=ERROR"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "COUNTERSIGN_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        _answer()
        yield
    finally:
        process.terminate()
        process.wait(20)


def _answer() -> None:
    """Returns once the worker has taken a task, its modules read."""
    for _ in range(3):
        bare_round_trip()


def bare_round_trip() -> float:
    """An execution of a request that does not exist: taken, claimed, looked up, and nothing else."""
    from celery import current_app

    from gateway.services_check import coordination

    request_id, begun = uuid.uuid4(), time.perf_counter()
    coordination().delete(f"bench:{request_id}")
    current_app.send_task("gateway.execute", args=[str(request_id)], queue="execute", retry=False)
    _until(lambda: not _queued())
    return time.perf_counter() - begun


def _queued() -> int:
    from django.conf import settings

    from gateway.services_check import coordination

    prefix = f"{settings.REDIS_PREFIX}:celery:"
    waiting = coordination().llen(f"{prefix}execute")
    return int(waiting) + int(coordination().hlen(f"{prefix}unacked"))


def reviewer() -> Any:
    from identity.people import add_user
    from identity.principals import principal_of_user

    return principal_of_user(add_user("reviewer", "a long enough pass phrase", ["dba"], actor="bench"))


def approve_and_wait(review: Any, number: int) -> float:
    from approvals import services as approvals
    from approvals.models import Impact, Request
    from approvals.states import State
    from gateway.pipeline import submit
    from gateway.submission import Submission
    from identity.models import Agent
    from identity.principals import principal_of_agent

    principal = principal_of_agent(Agent.objects.get(name="bench-bot"))
    sql = SQL.format(first=number * 10 + 1, last=number * 10 + 10)
    request = submit(Submission(principal, "rest", "shop", sql)).query.request
    if request is None:
        raise SystemExit("it was not parked")
    # Measured while people look at it: that is over long before anybody approves.
    _until(lambda: Impact.objects.filter(request=request, state=Impact.State.MEASURED).exists())
    begun = time.perf_counter()
    approvals.review(request.pk, review, "approve", "")
    _until(lambda: Request.objects.filter(pk=request.pk, state=State.EXECUTED).exists())
    return time.perf_counter() - begun


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit("the worker did not answer within a minute")
        time.sleep(LOOK_SECONDS)


def median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


def told(what: str, times: list[float]) -> None:
    last = sorted(times)[len(times) * 99 // 100]
    print(f"  {what}: p50 {1000 * median(times):.0f} ms, p99 {1000 * last:.0f} ms")


if __name__ == "__main__":
    os.environ.setdefault("COUNTERSIGN_LOG_LEVEL", "ERROR")
    main()
