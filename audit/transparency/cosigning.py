"""Asks a C2SP tlog-witness for its cosignature: it checks for itself that the log only grew, and signs when it saw it."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from audit.models import Checkpoint
from audit.transparency import checkpoints
from audit.transparency.heads import TreeHead
from audit.transparency.notes import Note, NoteError, VerifierKey, parse, parse_signatures, verify
from audit.transparency.places import OtherHistory
from audit.transparency.proofs import consistency
from audit.transparency.stores import WitnessError

TIMEOUT_SECONDS = 10
# For all of a request: a witness that answers one byte at a time keeps no other from its checkpoint.
REQUEST_SECONDS = 30
LONGEST_ANSWER = 65_536
SIZE_TYPE = "text/x.tlog.size"


class Answer(NamedTuple):
    status: int
    type: str
    body: str


def cosign(address: str, key: VerifierKey, checkpoint: Checkpoint, given: int) -> str:
    """The witness's signature line, verified. Raises `WitnessError`, `OSError`, `http.client.HTTPException`."""
    ours = checkpoints.head_of(checkpoint)
    answer = _submit(address, checkpoint, min(given, ours.size))
    if answer.status == 409:
        answer = _submit(address, checkpoint, _seen(answer, ours))
    if answer.status != 200:
        raise _refusal(answer, ours)
    return _verified(answer.body, key, checkpoint)


def request_body(checkpoint: Checkpoint, old: int) -> str:
    """`old N`, the consistency proof from there, an empty line, the checkpoint."""
    hashes = consistency(old, checkpoint.size).hashes if 0 < old < checkpoint.size else ()
    proof = "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)
    return f"old {old}\n{proof}\n{checkpoint.note}"


def _submit(address: str, checkpoint: Checkpoint, old: int) -> Answer:
    """No redirect is followed: the witness is where the administrator said."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(kind(parts.netloc, timeout=TIMEOUT_SECONDS)) as link, _cut_when_late(link):
        body = request_body(checkpoint, old).encode()
        link.request("POST", f"{parts.path.rstrip('/')}/add-checkpoint", body, {"Content-Type": "text/plain"})
        response = link.getresponse()
        text = response.read(LONGEST_ANSWER).decode(errors="replace")
        return Answer(response.status, response.headers.get_content_type(), text)


@contextmanager
def _cut_when_late(link: http.client.HTTPConnection) -> Iterator[None]:
    """Raises `WitnessError` in place of whatever a link that was cut comes to."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            if link.sock is not None:
                link.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(REQUEST_SECONDS, cut)
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():
        raise WitnessError(f"the witness took longer than {REQUEST_SECONDS} seconds to answer")


def _seen(answer: Answer, ours: TreeHead) -> int:
    """The size that the witness saw last, where that is a size that this log had."""
    text = answer.body.removesuffix("\n")
    if answer.type != SIZE_TYPE or not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _refusal(answer, ours)
    seen = int(text)
    if seen > ours.size:
        checkpoints.check_head()
        raise OtherHistory(
            f"the witness has seen {seen} entries, this checkpoint has {ours.size}: either the log's end is gone, or"
            " another copy of this log, which holds its key, gives checkpoints to the same witness"
        )
    return seen


def _refusal(answer: Answer, ours: TreeHead) -> WitnessError:
    if answer.status in (409, 422):
        return OtherHistory(
            f"the witness says that this log is not how the history goes on that it has seen (HTTP {answer.status})"
        )
    if answer.status == 404:
        return WitnessError(f"the witness does not know the log {ours.origin}: give its operator name and verifier key")
    if answer.status == 403:
        return WitnessError("the witness does not know the key that signed: give its operator the log's verifier keys")
    return WitnessError(f"the witness answered HTTP {answer.status}: {' '.join(answer.body.split())[:200]}")


def _verified(lines: str, key: VerifierKey, checkpoint: Checkpoint) -> str:
    try:
        note = Note(parse(checkpoint.note).text, parse_signatures(lines))
        return str(verify(note, [key])[0].signature)
    except NoteError as error:
        raise WitnessError(f"the witness's cosignature was not kept: {error}") from error
