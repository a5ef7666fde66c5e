"""Many that want to run one approved request: `python -m tests.gateway.faults.redeemers HOW REQUEST PROCESSES THREADS`.

Forks so many processes with so many threads each, lets all of them go at once, and prints how each of them ended.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import uuid


def main(how: str, request_id: uuid.UUID, processes: int, threads: int) -> None:
    go, say = os.pipe(), os.pipe()
    children = [_child(how, request_id, threads, go, say[1]) for _ in range(processes)]
    os.close(say[1])
    os.close(go[0])
    os.close(go[1])  # everybody who reads from it goes now
    with os.fdopen(say[0], "rb") as said:
        ends = said.read().decode().split()
    for child in children:
        os.waitpid(child, 0)
    sys.stdout.write(json.dumps(ends))


def _child(how: str, request_id: uuid.UUID, threads: int, go: tuple[int, int], say: int) -> int:
    child = os.fork()
    if child:
        return child
    os.close(go[1])
    os.read(go[0], 1)
    workers = [threading.Thread(target=_try, args=[how, request_id, say]) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    os._exit(0)


def _try(how: str, request_id: uuid.UUID, say: int) -> None:
    from django.db import connection

    from gateway import execution

    try:
        end = execution.execute_request(request_id) if how == "worker" else _redeem(request_id)
    except Exception as error:  # noqa: BLE001 told to the test
        end = type(error).__name__
    finally:
        connection.close()
    # The one that ran it, and not those who found it run.
    os.write(say, f"{end.replace(' ', '-')}\n".encode())


def _redeem(request_id: uuid.UUID) -> str:
    from gateway.admission import asker_of, asking_of
    from gateway.models import Query
    from gateway.redemption import run_redeemed
    from governance.assessment import assess

    query = Query.objects.select_related("datasource", "agent__owner", "user").get(request_id=request_id)
    principal = asker_of(query)
    content = run_redeemed(principal, query, assess(query.datasource, query.sql, asking_of(principal, query)))
    return "executed" if content else "nothing"


if __name__ == "__main__":
    import django

    django.setup()
    main(sys.argv[1], uuid.UUID(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
