"""WebSocket addresses."""

from __future__ import annotations

from typing import Any

from django.urls import path

from audit.feed import FeedConsumer

# Channels takes an ASGI application where Django's types know views only.
websocket_urlpatterns: list[Any] = [path("ws/feed", FeedConsumer.as_asgi())]  # type: ignore[arg-type]
