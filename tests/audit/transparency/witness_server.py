"""A small C2SP tlog-witness: trusts one log's keys, checks signature and growth for itself, cosigns what it checked."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.merkle import verify_consistency
from audit.transparency.heads import TreeHead, parse_checkpoint
from audit.transparency.notes import (
    COSIGNATURE,
    NoteError,
    Signature,
    VerifierKey,
    cosigned_text,
    parse,
    verify,
)

TIME = 1_790_000_000


@dataclass
class Cosigner:
    """Signs as a witness does: the checkpoint's text, and when."""

    name: str = "witness.example.com/w1"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def verifier_key(self) -> VerifierKey:
        return VerifierKey(self.name, COSIGNATURE, self.private.public_key().public_bytes_raw())

    def sign(self, text: str, seconds: int = TIME) -> Signature:
        made = self.private.sign(cosigned_text(text, seconds).encode())
        return Signature(self.name, self.verifier_key.id, seconds.to_bytes(8, "big") + made)


@dataclass
class Witness:
    """What it knows. A test can make it lie by replacing `cosigner`, and fail by setting `answer`."""

    trusted: list[VerifierKey]
    origin: str
    cosigner: Cosigner = field(default_factory=Cosigner)
    url: str = ""
    seen: TreeHead | None = None
    answer: tuple[int, str, str] | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.seen.size if self.seen else 0

    def add_checkpoint(self, body: str) -> tuple[int, str, str]:
        self.asked.append(body)
        if self.answer:
            return self.answer
        proof_part, _, note = body.partition("\n\n")
        first, *lines = proof_part.split("\n")
        old, proof = int(first.removeprefix("old ")), [base64.b64decode(line) for line in lines]
        parsed = parse(note)
        head = parse_checkpoint(parsed.text)
        if head.origin != self.origin:
            return 404, "text/plain", "unknown log"
        try:
            verify(parsed, self.trusted)
        except NoteError as error:
            return 403, "text/plain", str(error)
        if old > head.size:
            return 400, "text/plain", "old size above the new"
        if old != self.size or (self.seen and self.seen.size == head.size and self.seen.root != head.root):
            return 409, "text/x.tlog.size", f"{self.size}\n"
        if self.seen and not verify_consistency(self.seen.size, head.size, proof, self.seen.root, head.root):
            return 422, "text/plain", "not consistent"
        self.seen = head
        return 200, "text/plain", f"{self.cosigner.sign(parsed.text)}\n"


@contextmanager
def serving(witness: Witness) -> Iterator[Witness]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            known = self.path == "/w1/add-checkpoint"
            status, kind, text = witness.add_checkpoint(body) if known else (404, "text/plain", "nothing here")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        witness.url = f"http://127.0.0.1:{server.server_port}/w1"
        try:
            yield witness
        finally:
            server.shutdown()
            thread.join()
