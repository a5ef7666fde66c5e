"""The evidence bundle: a zip file that proves entries to somebody who trusts neither us nor the network.

What is in it, and what each file means, is told in `README.txt` beside this module, which goes into every bundle.
`countersign_verify.py` checks it; it is written to stand alone and shares no code with us.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from string import Template

from django.utils import timezone

from audit.entries import format_time
from audit.evidence.contents import Context, Indexes, context_of, read_entries
from audit.evidence.covering import hashes_without
from audit.evidence.sealing import SealedZip, Target, sealed_zip, spell
from audit.models import Checkpoint, Witness
from audit.reading import payload_of
from audit.transparency import checkpoints, keys, proofs
from audit.transparency.notes import sign
from identity.sealing import UnsealError

FORMAT = "countersign-evidence/1"
VERIFIER = Path(__file__).with_name("countersign_verify.py")
_README = Path(__file__).with_name("README.txt")

# Told how many entries are written; may raise, to give up.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, for the manifest. `payloads`: with the opened sensitive parts, for those who may see them."""

    first: int
    end: int
    filter: Mapping[str, object]
    made_by: str
    payloads: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """`size` is that of the checkpoint that the entries are proved against."""

    entries: int
    size: int


def verifier_digest() -> str:
    return hashlib.sha256(VERIFIER.read_bytes()).hexdigest()


def write_bundle(
    target: Target,
    question: Question,
    indexes: Iterable[Sequence[int]] | None = None,
    progress: Progress | None = None,
) -> Written:
    """`indexes`: those that the filter finds, in batches, ascending; None: every entry from `first` to before `end`.

    Raises `EvidenceIncomplete`, `LogDamaged`, `HistoryDiffers`, `KeyUnusable`, `ArchiveUnavailable`: a bundle of a log
    that is not whole is not made.
    """
    checkpoint = checkpoints.latest(fresh=True)
    if not 0 <= question.first <= question.end <= checkpoint.size:
        raise ValueError(f"the log has {checkpoint.size} entries: a range cannot be {question.first}:{question.end}")
    context = context_of(question.first, question.end, checkpoint.size)
    asked = chain.from_iterable(indexes) if indexes is not None else range(question.first, question.end)
    with closing(Indexes()) as kept, sealed_zip(target) as archive:
        archive.add("countersign_verify.py", VERIFIER.read_bytes())
        archive.add("checkpoint.txt", checkpoints.note_of(checkpoint).encode())
        archive.add("keys.json", spell(_keys(), indent=1))
        archive.add("consistency.json", spell(list(_consistency(checkpoint)), indent=1))
        archive.add_lines("entries.jsonl", _entry_lines(kept.keep(asked, context.indexes), progress))
        disclosed = (index for index, _ in kept.again())
        lines = (f"{one.hex()}\n".encode() for one in hashes_without(disclosed, checkpoint.size))
        archive.add_lines("hashes.txt", lines)
        if question.payloads:
            archive.add_lines("payloads.jsonl", _payload_lines(kept, progress))
        _add_manifest(archive, question, checkpoint, context, kept.selected, is_complete=indexes is None)
        return Written(kept.selected, checkpoint.size)


# --- Its files ------------------------------------------------------------------------------------------------------


def _entry_lines(indexes: Iterator[tuple[int, bool]], progress: Progress | None) -> Iterator[bytes]:
    for count, (entry, is_context) in enumerate(read_entries(indexes), 1):
        line: dict[str, object] = {"index": entry.index, "header": entry.header.decode()}
        yield spell(line | {"context": True} if is_context else line)
        if progress and count % 1000 == 0:
            progress(count)


def _payload_lines(kept: Indexes, progress: Progress | None) -> Iterator[bytes]:
    selected = (one for one in kept.again() if not one[1])
    for count, (entry, _) in enumerate(read_entries(selected, with_payloads=True), 1):
        try:
            content = payload_of(entry)
        except UnsealError as error:
            yield spell({"index": entry.index, "problem": str(error)})
        else:
            if content is not None:
                yield spell({"index": entry.index, "payload": content})
        if progress and count % 1000 == 0:
            progress(count)


def _keys() -> list[dict[str, object]]:
    own: list[dict[str, object]] = [
        {
            "key": key.verifier_key,
            "created_at": format_time(key.created_at),
            "retired_at": format_time(key.retired_at) if key.retired_at else None,
        }
        for key in keys.published_keys()
    ]
    witnesses = Witness.objects.exclude(verifier_key="").order_by("name").values_list("name", "verifier_key")
    return own + [{"key": key, "witness": name} for name, key in witnesses]


def _consistency(checkpoint: Checkpoint) -> Iterator[dict[str, object]]:
    """With the oldest checkpoint, the newest before this one, and the newest that a witness has signed."""
    earlier = Checkpoint.objects.filter(size__gt=0, size__lt=checkpoint.size)
    chosen = (earlier.first(), earlier.last(), earlier.exclude(cosignatures=[]).last())
    for size, old in sorted({old.size: old for old in chosen if old}.items()):
        proof = proofs.consistency(size, checkpoint.size)
        yield {"checkpoint": checkpoints.note_of(old), "size": size, "proof": [one.hex() for one in proof.hashes]}


def _add_manifest(
    archive: SealedZip, question: Question, checkpoint: Checkpoint, context: Context, entries: int, *, is_complete: bool
) -> None:
    """Last, since it has the digests of all others; signed, since nothing else vouches for what it says."""
    origin = checkpoints.head_of(checkpoint).origin
    manifest: dict[str, object] = {
        "format": FORMAT,
        "log": origin,
        "size": checkpoint.size,
        "root": bytes(checkpoint.root).hex(),
        "range": {"first": question.first, "end": question.end},
        "complete": is_complete,
        "query": dict(question.filter),
        "entries": entries,
        "context": asdict(context),
        "made_by": question.made_by,
        "made_at": format_time(timezone.now()),
    }
    archive.add("README.txt", _readme(manifest, is_complete=is_complete).encode())
    content = spell(manifest | {"files": dict(archive.files)}, indent=1)
    archive.add("manifest.json", content)
    # Its second line is no number, so nobody can take this for a checkpoint.
    text = f"{origin} evidence\nsha256 {hashlib.sha256(content).hexdigest()}\n"
    archive.add("manifest.note", sign(text, keys.signers(())).encode())


def _readme(manifest: Mapping[str, object], *, is_complete: bool) -> str:
    span = manifest["range"]
    first, end = (span["first"], span["end"]) if isinstance(span, dict) else (0, 0)
    selection = "They are a selection: that nothing which fits the question was left out cannot be seen from it."
    return Template(_README.read_text()).substitute(
        log=manifest["log"],
        made_by=manifest["made_by"],
        made_at=manifest["made_at"],
        entries=manifest["entries"],
        first=first,
        last=end - 1,
        size=manifest["size"],
        question=json.dumps(manifest["query"], ensure_ascii=False, sort_keys=True),
        completeness="They are all entries of that range; the verifier checks that." if is_complete else selection,
        verifier=f"the SHA-256 {verifier_digest()}.",
    )
