"""`python -m tests.noninterference --minutes 30`: new statements, for as long as it is told. Exit code 0: nothing was found."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

import pytest


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.noninterference", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for how long (default: 5)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="a seed that an earlier run named")
    arguments = parser.parse_args()
    os.environ["PROVE_MINUTES"] = str(arguments.minutes)
    os.environ["PROVE_SEED"] = str(arguments.seed)
    endurance = Path(__file__).parent / "endurance.py"
    return int(pytest.main(["--quiet", "--capture=no", "--timeout=0", "--tb=short", str(endurance)]))


if __name__ == "__main__":
    sys.exit(main())
