"""ASGI entry: HTTP to Django, `/ws/…` to Channels. WebSockets are for signed-in people on our own pages only."""

import os

import django
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class SynchronousStack(ASGIHandler):
    """Django's handler with middleware and views in one thread, from end to end.

    All our views are synchronous. Django would otherwise hop between the event loop and the thread around every middleware,
    some fifteen times a request, which doubles the time of a small statement.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


django.setup(set_prefix=False)
django_application = SynchronousStack()

from audit.routing import websocket_urlpatterns  # noqa: E402  Django must be set up before models are imported

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
