"""A process that appends until it is told to stop or is killed; prints each index once it is acknowledged.

python -m tests.audit.appender NAME THREADS ENTRIES_PER_THREAD
"""

from __future__ import annotations

import os
import sys
import threading


def main(name: str, threads: int, entries: int) -> None:
    from audit import ledger

    def append() -> None:
        for _ in range(entries):
            receipt = ledger.append("statement.denied", principal=f"agent:{name}", payload={"sql": "SELECT 1"})
            os.write(1, f"{receipt.index}\n".encode())

    workers = [threading.Thread(target=append) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    import django

    django.setup()
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
