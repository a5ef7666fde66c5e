"""How calls are timed: many callers at once, each calling again as soon as it has an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    per_second: float
    p50_ms: float
    p99_ms: float


def measure(callers: int, seconds: float, make_call: Callable[[int], Callable[[], object]]) -> Measure:
    """Each caller calls again as soon as it has an answer."""
    ready, over = threading.Barrier(callers + 1), threading.Event()
    times: list[list[float]] = [[] for _ in range(callers)]

    def work(number: int) -> None:
        call, mine = make_call(number), times[number]
        ready.wait()
        while not over.is_set():
            start = time.perf_counter()
            call()
            mine.append(time.perf_counter() - start)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    over.wait(seconds)
    over.set()
    for thread in threads:
        thread.join()
    duration = time.perf_counter() - begin
    every = sorted(value for mine in times for value in mine)
    return Measure(len(every) / duration, 1000 * every[len(every) // 2], 1000 * every[len(every) * 99 // 100])
