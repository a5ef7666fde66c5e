"""Drivers: one folder or file an engine. `base` says what a driver is; here is which there are.

To add one: copy the nearest, implement the protocol, list it here. What a driver lacks it refuses; it never returns an
empty result instead.
"""

from __future__ import annotations

from gateway.drivers.base import Driver
from gateway.drivers.postgres import PostgresDriver
from governance.errors import DataSourceUnavailable

DRIVERS: dict[str, Driver] = {"postgres": PostgresDriver()}


def driver_for(engine: str) -> Driver:
    try:
        return DRIVERS[engine]
    except KeyError:
        raise DataSourceUnavailable(
            f"There is no driver for {engine!r}.", remedy=f"Engines: {', '.join(sorted(DRIVERS))}."
        ) from None
