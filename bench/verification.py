"""Verification of a large log, and evidence of all of it: `python -m bench.verification --entries 1000000`.

A scratch database is filled with entries, what they are found by, tiles and a checkpoint. Then the whole log is
verified with one process and with two; a bundle of every entry is written, and checked by the stand-alone verifier. What
is printed: entries a second, and the most memory that any process held. Aim: 1,000,000 in under two minutes on two cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.filling import fill_log
from bench.ground import scratch_database


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--entries", type=int, default=200_000, help="size of the log (default: 200,000)")
    options = arguments.parse_args()
    with scratch_database(("audit",)):
        prepare(options.entries)
        for processes in (1, 2):
            verify(processes, options.entries)
        bundle(options.entries)


def prepare(entries: int) -> None:
    from audit.following import catch_up
    from audit.transparency import checkpoints, tiles

    timed("filled", entries, lambda: fill_log(entries))
    timed("made findable", entries, lambda: exhaust(catch_up))
    timed("tiles made", entries, tiles.bring_up_to_date)
    checkpoints.latest()


def exhaust(catch_up: Callable[[], int]) -> None:
    while catch_up():
        pass


def verify(processes: int, entries: int) -> None:
    from audit.verification.inspection import verify_ledger

    def work() -> None:
        report = verify_ledger(processes=processes)
        if report.fault:
            raise SystemExit(f"the ledger does not verify: {report.fault}")

    timed(f"verified, {processes} process{'es' if processes > 1 else ''}", entries, work)


def bundle(entries: int) -> None:
    from audit.evidence.bundle import VERIFIER, Question, write_bundle

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        with path.open("wb") as target:
            timed("bundle written", entries, lambda: write_bundle(target, Question(0, entries, {}, "bench")))
        command = [sys.executable, str(VERIFIER), str(path)]
        timed("bundle verified", entries, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
        print(f"the bundle has {path.stat().st_size / 1e6:,.1f} MB")


def timed(what: str, entries: int, work: Callable[[], object]) -> None:
    with Peaks() as peaks:
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
    print(
        f"{what:<24} {entries:>10,} in {seconds:>7.1f} s  {entries / seconds:>9,.0f}/s"
        f"   peak {peaks.own:,.0f} MB, largest child {peaks.child:,.0f} MB",
        flush=True,
    )


class Peaks:
    """The most memory that this process held from here on, and any of its children as long as it runs, in MB."""

    def __enter__(self) -> Peaks:
        self.own, self.child, self._over = 0.0, 0.0, threading.Event()
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.own = self._peak("self")
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            for task in Path("/proc/self/task").iterdir():
                for child in (task / "children").read_text().split():
                    self.child = max(self.child, self._peak(child))

    @staticmethod
    def _peak(process: str) -> float:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            return 0.0
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


if __name__ == "__main__":
    main()
