"""The verifiable log over REST. Checkpoint, proofs, tiles and keys say nothing about content, so every principal may
have them; entries are for people, and agents see their own."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, renderers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.models import Checkpoint, Entry
from audit.reading import ArchiveUnavailable, entry_at
from audit.search import entry_json
from audit.transparency import checkpoints, keys, serving, tiles
from audit.transparency.checkpoints import HistoryDiffers
from audit.transparency.keys import KeyUnusable
from audit.transparency.notes import NoteError
from audit.transparency.tiles import LogDamaged, NotInLog
from gateway.api import ledger_schemas as schemas
from gateway.api.outputs import moment
from gateway.api.problems import problem
from gateway.api.renderers import JSONRenderer, ResultRenderer
from gateway.api.views import principal_of

_NUMBER = re.compile(r"[0-9]{1,19}")
LARGEST = 2**63 - 1
# Only for whoever asked: a cache between must not hand on what somebody else signed in for.
FULL = "private, max-age=31536000, immutable"
PARTIAL = "private, max-age=60"


class PlainTextRenderer(ResultRenderer):
    """Names the media type; the note is answered as it is."""

    media_type = "text/plain"
    format = "txt"


class BinaryRenderer(ResultRenderer):
    media_type = "application/octet-stream"
    format = "bin"


class PeopleReadEntries(permissions.BasePermission):
    message = "Bundles of entries are for people; agents see entries of their own at /api/v1/audit/entries."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return principal_of(request).is_person


class LogView(APIView):
    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (LogDamaged, HistoryDiffers, NoteError)):
            return _damaged(exc)
        if isinstance(exc, KeyUnusable):
            return problem(503, "key-unusable", "The log's key cannot be used", str(exc))
        if isinstance(exc, ArchiveUnavailable):
            return problem(503, "archive-unavailable", "The archive of these entries cannot be read", str(exc))
        return super().handle_exception(exc)


class CheckpointView(LogView):
    renderer_classes = [PlainTextRenderer, JSONRenderer]

    @extend_schema(operation_id="get_checkpoint", responses=schemas.CHECKPOINT)
    def get(self, request: Request) -> HttpResponseBase:
        """The signed head of the log as it is now, with the signatures of witnesses."""
        checkpoint = checkpoints.latest()
        if isinstance(request.accepted_renderer, JSONRenderer):
            return Response(checkpoint_output(checkpoint), headers={"Cache-Control": "no-store"})
        note = checkpoints.note_of(checkpoint)
        return HttpResponse(note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class InclusionView(LogView):
    @extend_schema(operation_id="prove_inclusion", parameters=schemas.INCLUSION_OF, responses=schemas.INCLUSION)
    def get(self, request: Request) -> Response:
        """That an entry is in the log: the hashes that lead from its leaf to the root of a checkpoint."""
        asked = _numbers(request, index=0, size=1)
        if asked["index"] is None:
            raise ValidationError({"index": ["say which entry: ?index=0"]})
        try:
            found = serving.signed_inclusion(asked["index"], asked["size"])
        except NotInLog as error:
            return _not_in_log(400, error)
        proof = found.proof
        return Response(
            {
                "index": proof.index,
                "size": proof.size,
                "leaf": proof.leaf.hex(),
                "root": proof.root.hex(),
                "proof": [one.hex() for one in proof.hashes],
                "checkpoint": checkpoints.note_of(found.checkpoint) if found.checkpoint else None,
            }
        )


class ConsistencyView(LogView):
    @extend_schema(operation_id="prove_consistency", parameters=schemas.CONSISTENCY_OF, responses=schemas.CONSISTENCY)
    def get(self, request: Request) -> Response:
        """That the log only grew: the hashes that show that the larger log begins with the smaller one."""
        asked = _numbers(request, **{"from": 1, "to": 1})
        if asked["from"] is None:
            raise ValidationError({"from": ["say from which size: ?from=1"]})
        try:
            proof = serving.signed_consistency(asked["from"], asked["to"])
        except NotInLog as error:
            return _not_in_log(400, error)
        return Response(
            {
                "from": proof.old_size,
                "to": proof.new_size,
                "from_root": proof.old_root.hex(),
                "to_root": proof.new_root.hex(),
                "proof": [one.hex() for one in proof.hashes],
            }
        )


class TileView(LogView):
    renderer_classes: list[type[renderers.BaseRenderer]] = [BinaryRenderer, JSONRenderer]

    @extend_schema(operation_id="get_tile", parameters=schemas.TILE_OF, responses=schemas.TILE)
    def get(self, request: Request, level: str, tile: str) -> HttpResponseBase:
        """Hashes of the tree, as C2SP tlog-tiles lays them out."""
        try:
            address = serving.parse_tile(tile)
            content = tiles.tile(serving.parse_level(level), address.number, address.width)
        except NotInLog as error:
            return _not_in_log(404, error)
        return _cacheable(request, content, full=address.is_full)


class BundleView(LogView):
    renderer_classes: list[type[renderers.BaseRenderer]] = [BinaryRenderer, JSONRenderer]
    permission_classes = [permissions.IsAuthenticated, PeopleReadEntries]

    @extend_schema(operation_id="get_entry_bundle", parameters=[schemas.TILE_AT], responses=schemas.BUNDLE)
    def get(self, request: Request, tile: str) -> HttpResponseBase:
        """Headers of up to 256 entries, as C2SP tlog-tiles lays them out."""
        try:
            address = serving.parse_tile(tile)
            content = tiles.entry_bundle(address.number, address.width)
        except NotInLog as error:
            return _not_in_log(404, error)
        return _cacheable(request, content, full=address.is_full)


class KeysView(LogView):
    @extend_schema(operation_id="list_log_keys", responses=schemas.KEYS)
    def get(self, request: Request) -> Response:
        """The keys that checkpoints were signed with, retired ones too. Compare them with what you know from elsewhere."""
        return Response(
            {
                "results": [
                    {
                        "name": key.name,
                        "id": key.id,
                        "verifier_key": key.verifier_key,
                        "created_at": moment(key.created_at),
                        "retired_at": moment(key.retired_at),
                    }
                    for key in keys.published_keys()
                ]
            }
        )


class EntryView(LogView):
    @extend_schema(operation_id="get_entry", responses=schemas.ENTRY)
    def get(self, request: Request, index: int) -> Response:
        """One entry, with its header exactly as it was hashed. An agent sees those of its own."""
        stored = entry_at(index) if index <= LARGEST else None
        if stored is None:
            return _no_entry(index)
        principal = principal_of(request)
        entry = Entry(index=stored.index, time=stored.time, kind=stored.kind, header=stored.header, leaf=stored.leaf)
        fields = entry_json(entry)
        if not principal.is_person and fields.get("principal") != principal.label:
            return _no_entry(index)
        try:
            header = stored.header.decode()
        except UnicodeDecodeError as error:
            raise LogDamaged(f"the header of entry {index} is not text") from error
        return Response({**fields, "header": header, "archived": index < tiles.first_live()})


def checkpoint_output(checkpoint: Checkpoint) -> dict[str, Any]:
    head = checkpoints.head_of(checkpoint)
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "note": checkpoints.note_of(checkpoint),
        "time": moment(checkpoint.time),
        "cosignatures": list(checkpoint.cosignatures),
    }


# --- Shared -------------------------------------------------------------------------------------------------------


def _numbers(request: Request, **least: int) -> dict[str, int | None]:
    """Whole numbers of the query string, None for those left out; any other parameter is refused."""
    if unknown := sorted(set(request.query_params) - set(least)):
        raise ValidationError({name: [f"is not asked for here. Known: {', '.join(least)}."] for name in unknown})
    found: dict[str, int | None] = {}
    for name, smallest in least.items():
        text = request.query_params.get(name)
        if text is not None and not (_NUMBER.fullmatch(text) and smallest <= int(text) <= LARGEST):
            raise ValidationError({name: [f"must be a whole number from {smallest} on, not {text[:40]!r}"]})
        found[name] = None if text is None else int(text)
    return found


def _cacheable(request: Request, content: bytes, *, full: bool) -> HttpResponseBase:
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type=BinaryRenderer.media_type)
    response["Cache-Control"] = FULL if full else PARTIAL
    response["ETag"] = etag
    patch_vary_headers(response, ["Authorization", "Cookie"])
    found = get_conditional_response(request._request, etag=etag, response=response)
    return response if found is None else found


def _not_in_log(status: int, error: NotInLog) -> Response:
    return problem(status, "not-in-log", "The log has no such place", str(error))


def _no_entry(index: int) -> Response:
    return problem(404, "unknown-entry", "No such entry", f"There is no entry {index}, or it is not yours to see.")


def _damaged(error: Exception) -> Response:
    return problem(
        500, "log-damaged", "The log does not agree with itself, so nothing is proved from it", str(error),
        remedy="An administrator must run `manage.py ledger verify`, and keep every checkpoint that was published.",
    )  # fmt: skip
