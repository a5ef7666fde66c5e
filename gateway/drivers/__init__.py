"""Drivers: one folder or file an engine. `base` says what a driver is; here is which there are.

To add one: copy the nearest, implement the protocol, list it here. What a driver lacks it refuses; it never returns an
empty result instead.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.drivers import postgres_measure
from gateway.drivers.base import Driver, Source
from gateway.drivers.postgres import PostgresDriver
from gateway.measuring.trial import Seen, Trial
from governance.errors import DataSourceUnavailable

DRIVERS: dict[str, Driver] = {"postgres": PostgresDriver()}
# How a request is measured before it runs, where the engine lets a change be tried out and rolled back.
MEASURES: dict[str, Callable[[Source, Trial], Seen]] = {"postgres": postgres_measure.measure}


def driver_for(engine: str) -> Driver:
    try:
        return DRIVERS[engine]
    except KeyError:
        raise DataSourceUnavailable(
            f"There is no driver for {engine!r}.", remedy=f"Engines: {', '.join(sorted(DRIVERS))}."
        ) from None


def measure_with(engine: str) -> Callable[[Source, Trial], Seen]:
    try:
        return MEASURES[engine]
    except KeyError:
        raise DataSourceUnavailable(f"Nothing can be measured on {engine!r} before it runs.") from None
