"""Keeps one process of the demo running: `python -m config.demo.keep NAME WORD …`.

What dies is started again, as a service manager would do in production; what dies too often is given up, and then the whole
demo ends and says so. Asked to stop, it asks the process to stop and waits for it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import FrameType

MOST_DEATHS = 5
WITHIN_SECONDS = 60.0
PAUSE_SECONDS = 0.5


class Keeper:
    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.command = command
        self.child: subprocess.Popen[bytes] | None = None
        self.stopping = False
        self.deaths: list[float] = []

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        while not self.stopping:
            self.child = subprocess.Popen(self.command)  # noqa: S603  the demo's own command line
            if self.stopping:
                # Asked between the question and the start: the handler had no child to tell.
                self.child.terminate()
            code = self.child.wait()
            if not self.stopping and self.died_too_often(code):
                return 1
        return 0

    def died_too_often(self, code: int) -> bool:
        now = time.monotonic()
        self.deaths = [death for death in self.deaths if now - death < WITHIN_SECONDS] + [now]
        if len(self.deaths) >= MOST_DEATHS:
            sys.stderr.write(f"{self.name} ended {MOST_DEATHS} times in {WITHIN_SECONDS:.0f} seconds: given up.\n")
            return True
        sys.stderr.write(f"{self.name} ended (code {code}) and is started again.\n")
        time.sleep(PAUSE_SECONDS)
        return False


if __name__ == "__main__":
    sys.exit(Keeper(sys.argv[1], sys.argv[2:]).run())
