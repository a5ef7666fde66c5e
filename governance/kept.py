"""What a process keeps, by everything that it depends on. Pure."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """The most recently used, up to `size` in weight, safe for threads. The key must hold all that the value depends on."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._weight = 0
        self._items: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        with self._lock:
            item = self._items.get(key)
            if item is None:
                return None
            self._items.move_to_end(key)
            return item[0]

    def put(self, key: Hashable, value: V, weight: int = 1) -> V:
        with self._lock:
            if key in self._items:
                self._weight -= self._items.pop(key)[1]
            self._items[key] = (value, weight)
            self._weight += weight
            while self._weight > self._size:
                _, (_, lost) = self._items.popitem(last=False)
                self._weight -= lost
        return value

    def get_or_make(self, key: Hashable, make: Callable[[], V], weight: int = 1) -> V:
        """Two threads may make the same value; either will do."""
        value = self.get(key)
        return self.put(key, make(), weight) if value is None else value

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
            self._weight = 0
