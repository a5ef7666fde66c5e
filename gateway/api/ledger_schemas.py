"""The shapes of answers about the verifiable log, for the OpenAPI document only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from gateway.api.schemas import Shape, answers, many, shape, text, whole

HASHES = serializers.ListField(child=text(), help_text="Hashes in hex, lowest first (RFC 9162).")


def served(media_type: str, body: Any, what: str, *refusals: int) -> dict[Any, Any]:
    """Answers that are not JSON."""
    described: dict[Any, Any] = {code: one for code, one in answers(200, None, *refusals).items() if code != 200}
    return {(200, media_type): OpenApiResponse(body, what), **described}


CHECKPOINT = {
    **served(
        "text/plain", OpenApiTypes.STR, "The signed note (C2SP tlog-checkpoint), cosignatures included.", 500, 503
    ),
    (200, "application/json"): shape(
        "Checkpoint",
        origin=text(),
        size=whole(),
        root=text(help_text="Hex."),
        note=text(help_text="The signed note, cosignatures included."),
        time=serializers.DateTimeField(),
        cosignatures=serializers.ListField(child=text(), help_text="Signature lines of witnesses."),
    ),
}
INCLUSION = answers(
    200,
    shape(
        "InclusionProof",
        index=whole(),
        size=whole(),
        leaf=text(help_text="SHA-256(0x00 ‖ header), hex."),
        root=text(help_text="Of the first `size` entries, hex."),
        proof=HASHES,
        checkpoint=text(allow_null=True, help_text="The signed note of that size; null if that size was not signed."),
    ),
    400,
    500,
    503,
)
CONSISTENCY_SHAPE: dict[str, Shape] = {
    "from": whole(),
    "to": whole(),
    "from_root": text(),
    "to_root": text(),
    "proof": HASHES,
}
CONSISTENCY = answers(
    200,
    shape("ConsistencyProof", **CONSISTENCY_SHAPE),
    400,
    500,
    503,
)
TILE = served("application/octet-stream", OpenApiTypes.BINARY, "Hashes of 32 bytes, end to end.", 404, 500, 503)
BUNDLE = served(
    "application/octet-stream",
    OpenApiTypes.BINARY,
    "Headers of entries, each after its length in two bytes, the higher first.",
    403,
    404,
    500,
    503,
)
KEYS = answers(
    200,
    shape(
        "LogKeys",
        results=many(
            "LogKey",
            name=text(),
            id=text(),
            verifier_key=text(help_text="As tools for signed notes take it: name+id+base64."),
            created_at=serializers.DateTimeField(),
            retired_at=serializers.DateTimeField(allow_null=True),
        ),
    ),
    500,
    503,
)
ENTRY = answers(
    200,
    shape(
        "Entry",
        index=whole(),
        time=serializers.DateTimeField(),
        kind=text(),
        title=text(),
        leaf=text(help_text="Hex."),
        header=text(help_text="Exactly what is hashed: the leaf is SHA-256(0x00 ‖ header)."),
        archived=serializers.BooleanField(help_text="Moved out of the database, into an archive."),
    ),
    404,
    500,
    503,
)
INCLUSION_OF = [
    OpenApiParameter("index", OpenApiTypes.INT64, required=True, description="Of the entry."),
    OpenApiParameter("size", OpenApiTypes.INT64, description="Of the log; that of the latest checkpoint, if left out."),
]
CONSISTENCY_OF = [
    OpenApiParameter("from", OpenApiTypes.INT64, required=True, description="The size that was noted earlier, from 1."),
    OpenApiParameter("to", OpenApiTypes.INT64, description="The size now; that of the latest checkpoint, if left out."),
]
TILE_AT = OpenApiParameter(
    "tile",
    str,
    OpenApiParameter.PATH,
    description="N[.p/W]: the number in groups of three digits, all but the last after an x, as in `x001/x234/067`;"
    " `.p/W` for the first W of what is not full yet.",
)
TILE_OF = [OpenApiParameter("level", str, OpenApiParameter.PATH, description="0 for leaf hashes, up to 63."), TILE_AT]
