"""Reviews that are half written: kept in the session, which is sealed, while their writer shows a second factor. Nothing of
them stands in an address.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.http import HttpRequest

KEY = "review_drafts"
MOST = 5


def keep(http: HttpRequest, request_id: uuid.UUID, fields: Mapping[str, str]) -> None:
    """The oldest gives way to more than a few."""
    drafts = {**http.session.get(KEY, {})}
    drafts.pop(str(request_id), None)
    drafts[str(request_id)] = dict(fields)
    http.session[KEY] = dict(list(drafts.items())[-MOST:])


def kept(http: HttpRequest, request_id: uuid.UUID) -> dict[str, str]:
    """What was kept, or nothing."""
    return dict(http.session.get(KEY, {}).get(str(request_id), {}))


def drop(http: HttpRequest, request_id: uuid.UUID) -> None:
    drafts = http.session.get(KEY, {})
    if str(request_id) in drafts:
        http.session[KEY] = {key: draft for key, draft in drafts.items() if key != str(request_id)}
