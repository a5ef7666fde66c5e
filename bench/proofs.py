"""Proofs from a long log beside the same from a short one: `python -m bench.proofs [--entries 10000000]`.

One scratch log grows from 100,000 entries to as many as asked for; at both sizes proofs for entries chosen by chance are
made one after the other, as a web process makes them, and each is verified against a root that was computed from all
leaves and owes nothing to the tiles. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.filling import fill_log
from bench.ground import scratch_database

SHORT = 100_000


@dataclass(frozen=True)
class Taken:
    """Milliseconds, in the middle and at the 99th percentile."""

    p50: float
    p99: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--entries", type=int, default=1_000_000, help="size of the long log (default: 1,000,000)")
    arguments.add_argument("--proofs", type=int, default=500, help="proofs of each kind at each size (default: 500)")
    options = arguments.parse_args()
    with scratch_database(("audit",)):
        print(f"{'entries':>12} {'filled s':>9} {'tiles s':>8}   inclusion p50 ms  p99   consistency p50 ms  p99")
        short = measure_at(SHORT, options.proofs)
        long = measure_at(options.entries, options.proofs)
    print(
        f"ratio of the medians: inclusion {long[0].p50 / short[0].p50:.2f}, consistency {long[1].p50 / short[1].p50:.2f}"
    )


def measure_at(size: int, count: int) -> tuple[Taken, Taken]:
    from audit.transparency import tiles

    filled = seconds(lambda: fill_log(size))
    tiled = seconds(tiles.bring_up_to_date)
    root, chance = head_root(), random.Random(size)
    inclusion = take(count, lambda: prove_inclusion(chance.randrange(size), size, root))
    consistency = take(count, lambda: prove_consistency(chance.randrange(1, size), size, root))
    print(
        f"{size:>12,} {filled:>9.1f} {tiled:>8.1f}   {inclusion.p50:>16.2f} {inclusion.p99:>4.1f}"
        f"   {consistency.p50:>18.2f} {consistency.p99:>4.1f}",
        flush=True,
    )
    return inclusion, consistency


def head_root() -> bytes:
    from audit.merkle import Frontier
    from audit.models import Head

    head = Head.objects.get(id=1)
    return Frontier.from_bytes(head.size, bytes(head.frontier)).root()


def prove_inclusion(index: int, size: int, root: bytes) -> float:
    from audit.merkle import leaf_hash, verify_inclusion
    from audit.models import Entry
    from audit.transparency import proofs

    start = time.perf_counter()
    proof = proofs.inclusion(index)
    taken = time.perf_counter() - start
    leaf = leaf_hash(bytes(Entry.objects.get(index=index).header))
    if not verify_inclusion(leaf, index, size, proof.hashes, root):
        raise SystemExit(f"the proof of entry {index} in {size} entries does not verify")
    return taken


def prove_consistency(old_size: int, size: int, root: bytes) -> float:
    from audit.merkle import verify_consistency
    from audit.transparency import proofs

    start = time.perf_counter()
    proof = proofs.consistency(old_size)
    taken = time.perf_counter() - start
    if not verify_consistency(old_size, size, proof.hashes, proof.old_root, root):
        raise SystemExit(f"the proof from {old_size} to {size} entries does not verify")
    return taken


def take(count: int, prove: Callable[[], float]) -> Taken:
    prove()
    taken = sorted(1000 * prove() for _ in range(count))
    return Taken(taken[count // 2], taken[count * 99 // 100])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
