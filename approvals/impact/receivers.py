"""What is asked for waits to be measured from the moment that it is there. In the same transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from approvals.impact import service
from approvals.models import Request
from approvals.signals import request_noted


@receiver(request_noted)
def measure_what_is_asked(sender: type[Request], request: Request, event: str, **_: Any) -> None:
    if event == "asked" and request.kind == Request.Kind.STATEMENT:
        service.expect(request)
