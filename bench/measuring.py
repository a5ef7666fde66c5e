"""How calls are timed: many callers at once, each calling again as soon as it has an answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop


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
    return _measured(times, duration)


def measure_tasks(
    callers: int, seconds: float, make_call: Callable[[int], Awaitable[Callable[[], Awaitable[object]]]]
) -> Measure:
    """The same with tasks of one event loop, as a service of many sockets has."""
    return uvloop.run(_measure_tasks(callers, seconds, make_call))


async def _measure_tasks(
    callers: int, seconds: float, make_call: Callable[[int], Awaitable[Callable[[], Awaitable[object]]]]
) -> Measure:
    calls = [await make_call(number) for number in range(callers)]
    times: list[list[float]] = [[] for _ in range(callers)]
    begin = time.perf_counter()

    async def work(call: Callable[[], Awaitable[object]], mine: list[float]) -> None:
        while (start := time.perf_counter()) < begin + seconds:
            await call()
            mine.append(time.perf_counter() - start)

    await asyncio.gather(*(work(call, mine) for call, mine in zip(calls, times, strict=True)))
    return _measured(times, time.perf_counter() - begin)


def _measured(times: list[list[float]], duration: float) -> Measure:
    every = sorted(value for mine in times for value in mine)
    return Measure(len(every) / duration, 1000 * every[len(every) // 2], 1000 * every[len(every) * 99 // 100])
