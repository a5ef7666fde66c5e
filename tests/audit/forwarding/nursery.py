"""Forwards in processes that are killed: `python -m tests.audit.forwarding.nursery NAME KILLS SEED`.

Forks a child that works off the forwarder, kills it at a random moment, and again; the last child may finish. Batches are
small, so that there are many moments to die in. Prints how many children died before there was nothing left to do.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time

LONGEST_LIFE = 0.03
MOST_LINES = 7


def main(name: str, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    early = 0
    for _ in range(kills):
        child, begun = start(name)
        # From its first delivery on, so that it dies while it sends and not while it connects.
        select.select([begun], [], [], 30)
        time.sleep(chance.uniform(0, LONGEST_LIFE))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(begun, "rb") as said:
            early += b"over" not in said.read()
    child, begun = start(name)
    os.waitpid(child, 0)
    os.close(begun)
    sys.stdout.write(str(early))


def start(name: str) -> tuple[int, int]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        forward(name, theirs)
        os._exit(0)
    os.close(theirs)
    return child, ours


def forward(name: str, end: int) -> None:
    from audit.forwarding import files, running, syslog, webhook
    from audit.models import Forwarder, Head

    for door in (files.FileDoor, syslog.SyslogDoor, webhook.WebhookDoor):
        door.most_lines = MOST_LINES
    open_door = running.open_door

    def told(*arguments: object) -> object:
        os.write(end, b"begun\n")
        return open_door(*arguments)  # type: ignore[arg-type]

    running.open_door = told  # type: ignore[assignment]
    # The session of one that was killed may hold the lock for a moment longer.
    while Forwarder.objects.get(name=name).next < Head.objects.get(id=1).size:
        running.work(name)
        time.sleep(0.005)
    os.write(end, b"over\n")


if __name__ == "__main__":
    import django

    django.setup()
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
