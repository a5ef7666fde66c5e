"""Exports of many entries: `python -m bench.exports [ENTRIES]` prints rows a second and peak memory, format by format.

Each export runs in a process of its own, as a worker makes it, so that its peak memory is its own. Memory is bounded if the
peak does not grow with the number of entries: compare two runs. Uses a scratch database of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.ground import ROOT, scratch_database

ENTRIES = 1_000_000
FORMATS = ("csv", "ndjson", "parquet", "ocsf", "bundle")
MAKE = """
import json, re, sys, time
from pathlib import Path
import django
django.setup()
from audit.exports import making, service
from audit.exports.reading import Wanted, filter_of
from django.conf import settings
form, only = sys.argv[1], json.loads(sys.argv[2])
def peak():
    # Not getrusage: what that tells begins with the memory of the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
export = service.ask(None, Wanted(form, filter_of(only)), door="", publish=False)
before = peak()
start = time.perf_counter()
made = making.make(export.pk)
seconds = time.perf_counter() - start
print(json.dumps([made.state, made.rows, seconds, made.bytes, before, peak(), made.problem]))
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("entries", type=int, nargs="?", default=ENTRIES)
    arguments.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    options = arguments.parse_args()
    with scratch_database(), tempfile.TemporaryDirectory(prefix="bench-exports-") as folder:
        os.environ["COUNTERSIGN_EXPORTS"] = folder
        fill(options.entries)
        print(
            f"{options.entries:,} entries; peak is the process's, which takes about as much as stands in brackets anyway"
        )
        print(f"{'format':>32} {'entries':>10} {'rows/s':>10} {'MB':>8} {'peak MB':>16}")
        for form in options.formats:
            measure(form, {})
        measure("ndjson", {"principal": "agent:bot-7"})
        measure("ndjson", {"principal": "agent:bot-7", "relation": "public.t7"})


def fill(entries: int) -> None:
    from audit.following import catch_up
    from bench.filling import fill_log

    fill_log(entries)
    while catch_up(most=200_000):
        pass


def measure(form: str, only: dict[str, str]) -> None:
    command = [sys.executable, "-c", MAKE, form, json.dumps(only)]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    state, rows, seconds, size, before, peak, problem = json.loads(ran.stdout.splitlines()[-1])
    told = f"{form} {' '.join(only.values())}".strip()
    if state != "done":
        raise SystemExit(f"{told}: {state}: {problem}")
    print(
        f"{told:>32} {rows:>10,} {rows / seconds:>10,.0f} {size / 1e6:>8,.1f} {peak / 1024:>8,.0f} ({before / 1024:,.0f})"
    )
    for path in Path(os.environ["COUNTERSIGN_EXPORTS"]).glob("*/*"):
        path.unlink()


if __name__ == "__main__":
    main()
