"""Processes that append and are killed: `python -m tests.audit.faults.nursery KILLS THREADS SEED`.

Forks a child that appends with several threads, kills it at a random moment, and again; beside them a steady child
appends all the time, so that two processes fight for the head. Prints one line of JSON: every acknowledged index, once
for each acknowledgement.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import threading
import time

LONGEST_LIFE = 0.06


def main(kills: int, threads: int, seed: int) -> None:
    chance = random.Random(seed)
    steady, steady_end = start("steady", 1)
    acknowledged: list[int] = []
    for number in range(kills):
        child, end = start(f"child-{number}", threads)
        # From its first entry on, so that it dies while it writes and not while it connects.
        select.select([end], [], [], 30)
        time.sleep(chance.uniform(0, LONGEST_LIFE))
        acknowledged += finish(child, end)
    acknowledged += finish(steady, steady_end)
    sys.stdout.write(json.dumps(acknowledged))


def start(name: str, threads: int) -> tuple[int, int]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        append_for_ever(name, threads, theirs)
    os.close(theirs)
    return child, ours


def finish(child: int, end: int) -> list[int]:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(end, "rb") as said:
        text = said.read()
    # A line that was cut off was not told.
    return [int(line) for line in text.split(b"\n")[:-1]]


def append_for_ever(name: str, threads: int, end: int) -> None:
    from audit import ledger

    def work() -> None:
        while True:
            receipt = ledger.append("statement.denied", principal=f"agent:{name}", payload={"sql": "SELECT 1"})
            os.write(end, f"{receipt.index}\n".encode())

    for _ in range(threads):
        threading.Thread(target=work).start()
    threading.Event().wait()


if __name__ == "__main__":
    import django

    django.setup()
    main(*(int(word) for word in sys.argv[1:4]))
