"""A gateway under load: `python -m tests.audit.faults.gateway_load TARGET_DSN` on the control database of DATABASE_URL.

Reads and writes in turn, each with a marker of its own in its text and its purpose. Says `ready`, then `ran MARKER` or
`refused MARKER CODE` for each; ends when its standard input does.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable

THREADS = 3
ROWS = 40


def main(dsn: str) -> None:
    submit_marked = prepared(dsn)
    over = threading.Event()

    def work(number: int) -> None:
        for count in itertools.count():
            if over.is_set():
                return
            marker = f"mark-{number}-{count}"
            say(submit_marked(marker, count % 2 == 0))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    say("ready")
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()


def say(line: str) -> None:
    """Whole lines, also from several threads."""
    os.write(1, f"{line}\n".encode())


def prepared(dsn: str) -> Callable[[str, bool], str]:
    from django.core.management import call_command
    from django.db import DatabaseError, InterfaceError, connection

    from audit.ledger import LedgerUnavailable
    from gateway.pipeline import submit
    from gateway.submission import Submission
    from governance.datasources import add_datasource
    from governance.errors import GatewayError
    from governance.policy import store
    from identity.agents import add_agent
    from identity.people import add_user
    from identity.principals import principal_of_agent

    call_command("migrate", verbosity=0, skip_checks=True)
    store.ensure_default(actor="tests")
    add_datasource("shop", engine="postgres", dsn=dsn, environment="prod", actor="tests")
    owner = add_user("owner", "a long enough pass phrase", actor="tests")
    principal = principal_of_agent(add_agent("bot", owner, ["agents"], actor="tests"))

    def submit_marked(marker: str, write: bool) -> str:
        row = 1 + hash(marker) % ROWS
        sql = f"SELECT id FROM orders WHERE status = '{marker}'"
        if write:
            sql = f"UPDATE orders SET status = '{marker}' WHERE id = {row}"
        try:
            submit(Submission(principal=principal, door="rest", datasource="shop", sql=sql, purpose=marker))
        except GatewayError as error:
            return f"refused {marker} {error.code}"
        except (DatabaseError, InterfaceError, LedgerUnavailable) as error:
            time.sleep(0.05)
            return f"refused {marker} {type(error).__name__}"
        finally:
            # As at the end of a web request.
            connection.close()
        return f"ran {marker}"

    return submit_marked


if __name__ == "__main__":
    import django

    django.setup()
    main(sys.argv[1])
