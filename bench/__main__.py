"""All benchmarks, one after the other: `make bench`. Each prints ratios against a peer of the same run."""

from __future__ import annotations

import subprocess
import sys

MODULES = (
    "bench.masking",
    "bench.gateway",
    "bench.ledger",
    "bench.search",
    "bench.proofs",
    "bench.exports",
    "bench.verification",
    "bench.feed",
    "bench.approvals",
    "bench.inbox",
)


def main() -> None:
    for module in MODULES:
        print(f"\n== {module} ==", flush=True)
        subprocess.run([sys.executable, "-m", module], check=True)


if __name__ == "__main__":
    main()
