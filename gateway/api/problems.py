"""Problem documents (RFC 9457): the one shape of every error of the API, made in one place."""

from __future__ import annotations

import dataclasses
import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404
from psycopg_pool import PoolTimeout
from redis import RedisError
from rest_framework import exceptions, status
from rest_framework.response import Response

from approvals.absences import AbsenceRefused, UnknownAbsence
from approvals.errors import ReviewRefused, UnknownRequest
from audit.ledger import LedgerUnavailable
from gateway.recording import problem_of
from gateway.services_check import drop_control_connections
from governance.errors import GatewayError
from governance.policy.problems import PolicyError
from identity.errors import NotAuthenticated

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
REMEDIES = {
    "step-up-required": "A token cannot show a second factor: open the request's page in a browser and approve there."
}
RETRY_AFTER = {status.HTTP_429_TOO_MANY_REQUESTS: "1", status.HTTP_503_SERVICE_UNAVAILABLE: "2"}


def problem(status_code: int, code: str, title: str, detail: str = "", **more: Any) -> Response:
    """A problem document; `more` are extension members, those that are None left out."""
    body = {"type": f"urn:countersign:problem:{code}", "title": title, "status": status_code, "code": code}
    if detail:
        body["detail"] = detail
    body |= {name: value for name, value in more.items() if value is not None}
    response = Response(body, status=status_code, content_type=MEDIA_TYPE)
    if status_code in RETRY_AFTER:
        response["Retry-After"] = RETRY_AFTER[status_code]
    return response


def problem_response(error: Exception, _context: dict[str, Any]) -> Response:
    """DRF's exception handler: each exception is mapped once. What is not listed is a 500 that tells nothing."""
    if isinstance(error, GatewayError):
        document = problem_of(error)
        more = {name: value for name, value in document.items() if name not in ("code", "title", "status", "detail")}
        return problem(error.status, error.code, error.title, error.message, **more)
    if isinstance(error, (NotAuthenticated, exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        return _unauthenticated()
    if isinstance(error, UnknownRequest):
        return problem(
            404, "unknown-request", "No such request", "There is none, or it is not yours to see or to change."
        )
    if isinstance(error, ReviewRefused):
        refused = {"invalid": 400, "changed-meanwhile": 409}.get(error.code, 403)
        return problem(refused, error.code, "It is refused", error.message, remedy=REMEDIES.get(error.code))
    if isinstance(error, UnknownAbsence):
        return problem(404, "unknown-absence", "No such absence", "There is none, or it is not yours to change.")
    if isinstance(error, AbsenceRefused):
        refused = {"invalid": 400, "already-ended": 409}.get(error.code, 403)
        return problem(refused, error.code, "The absence is refused", error.message, field=error.field or None)
    if isinstance(error, PolicyError):
        return problem(
            400, "unsound-policy", "The policy set is not sound", str(error), remedy="Correct it; nothing was changed.",
            problems=[dataclasses.asdict(one) for one in error.problems],
        )  # fmt: skip
    if isinstance(error, (LedgerUnavailable, DatabaseError, RedisError, PoolTimeout)):
        # The first line only: PostgreSQL's DETAIL quotes the row.
        logger.error("A service of Countersign's own does not answer: %s", str(error).partition("\n")[0])
        drop_control_connections()
        return problem(
            503, "service-unavailable", "Countersign cannot record or coordinate, so it runs nothing",
            "The control database, the ledger or the broker does not answer. Nothing was run.",
            remedy="Try again shortly; the gateway recovers by itself.",
        )  # fmt: skip
    return _framework(error)


def _unauthenticated() -> Response:
    response = problem(
        401, "not-authenticated", "Not authenticated", "The token is missing, wrong, expired or revoked.",
        remedy="Send the header: Authorization: Bearer TOKEN.",
    )  # fmt: skip
    response["WWW-Authenticate"] = 'Bearer realm="countersign"'
    return response


def _framework(error: Exception) -> Response:
    """Django's and DRF's own exceptions, and faults."""
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too-large", "The body is too large", str(error))
    if isinstance(error, (Http404, exceptions.NotFound)):
        return problem(404, "not-found", "Not found", "There is nothing at this address.")
    if isinstance(error, (PermissionDenied, exceptions.PermissionDenied)):
        return problem(403, "not-permitted", "Not permitted", str(error) or "This is not for you.")
    if isinstance(error, exceptions.ValidationError):
        return problem(400, "invalid", "The request is not valid", _first(error.detail), errors=_plain(error.detail))
    if isinstance(error, exceptions.APIException):
        code = error.get_codes() if isinstance(error.detail, str) else error.default_code
        title = HTTPStatus(error.status_code).phrase.capitalize()
        return problem(error.status_code, str(code).replace("_", "-"), title, str(error.detail))
    logger.error("A call of the API failed", exc_info=error)
    return problem(
        500, "internal", "A fault of Countersign's own", "The reason is in the server's log.",
        remedy="Look at the query's state, if it has one, before you send it again.",
    )  # fmt: skip


def _plain(detail: Any) -> Any:
    if isinstance(detail, dict):
        return {str(name): _plain(value) for name, value in detail.items()}
    if isinstance(detail, list):
        return [_plain(value) for value in detail]
    return str(detail)


def _first(detail: Any, path: str = "") -> str:
    """The first complaint, with the field that it is about."""
    if isinstance(detail, dict):
        name, value = next(iter(detail.items()))
        own = "" if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
        return _first(value, own or path)
    if isinstance(detail, list):
        return _first(next((one for one in detail if one), ""), path)
    return f"{path}: {detail}" if path else str(detail)
