"""What nobody waits for any more is not measured on: at the end of a request its trial run is broken off."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from approvals.models import Impact, Request
from approvals.signals import request_moved
from approvals.states import OPEN
from gateway.models import Query
from identity.revocations import announce_end


@receiver(request_moved)
def break_off_measuring(sender: type[Request], request: Request, **_: Any) -> None:
    if request.state in OPEN or not Impact.objects.filter(request=request, state=Impact.State.MEASURING).exists():
        return
    if (query := Query.objects.filter(request=request).values_list("pk", flat=True).first()) is not None:
        transaction.on_commit(lambda: announce_end("query", query))
