"""The file of an export over HTTP: streamed, and in ranges (RFC 9110, section 14), so that a download that broke off goes on.

Each answer with bytes in it is recorded first, ranges too: otherwise all but the first byte could be had in silence.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from audit.exports.service import Download, record_download
from identity.principals import Principal

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Part:
    """From `start` to before `end`."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """The range begins behind the end of the file."""


def file_response(http: HttpRequest, principal: Principal, download: Download, *, door: str) -> HttpResponseBase:
    if http.headers.get("If-None-Match") == download.etag:
        return _with_headers(HttpResponse(status=304), download)
    try:
        part = part_of(_asked(http, download), download.size)
    except Unsatisfiable:
        refused = HttpResponse(status=416, headers={"Content-Range": f"bytes */{download.size}"})
        return _with_headers(refused, download)
    start, end = (part.start, part.end) if part else (0, download.size)
    response: HttpResponseBase
    if http.method == "HEAD":
        response = HttpResponse()
    else:
        record_download(principal, download, door=door, start=start, size=end - start)
        response = StreamingHttpResponse(_chunks(download.path, start, end))
    response["Content-Length"] = str(end - start)
    if part:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{download.size}"
    return _with_headers(response, download)


def _asked(http: HttpRequest, download: Download) -> str:
    """With `If-Range` the range counts only for the very file that the client has a part of."""
    unchanged = http.headers.get("If-Range", download.etag) == download.etag
    return http.headers.get("Range", "") if unchanged else ""


def part_of(header: str, size: int) -> Part | None:
    """None for the whole file: no range, several, or something that is not understood. Raises `Unsatisfiable`."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return Part(start, end)


def _with_headers(response: HttpResponseBase, download: Download) -> HttpResponseBase:
    response["Content-Type"] = download.media_type
    response["ETag"] = download.etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    disposition = content_disposition_header(as_attachment=True, filename=download.name)
    if disposition:
        response["Content-Disposition"] = disposition
    return response


async def _chunks(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """Read off the event loop, a piece at a time: the file may be larger than memory."""
    file = await sync_to_async(_opened)(path, start)
    try:
        place = start
        while place < end and (piece := await sync_to_async(file.read)(min(CHUNK, end - place))):
            place += len(piece)
            yield piece
    finally:
        file.close()


def _opened(path: Path, start: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(start)
    return file
