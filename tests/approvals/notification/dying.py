"""`python -m tests.approvals.notification.dying`: delivers mail, says when the server has taken it, and never notes it."""

from __future__ import annotations

import sys
import threading


def main() -> None:
    import django

    django.setup()
    from approvals.notification import delivery

    def stand_still(*_: object) -> None:
        sys.stdout.write("taken\n")
        sys.stdout.flush()
        threading.Event().wait()

    delivery.mark_sent = stand_still  # type: ignore[assignment]
    delivery.work(delivery.MAIL)


if __name__ == "__main__":
    main()
