"""Recorded statements from the ledger, decided again: by the active policy set and by another, at the catalogue and the
classes of now, as the principals are now, at the time of the entry. Nothing is run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.models import Entry, Payload
from audit.payloads import unseal_payload
from audit.reading import ArchiveUnavailable, entry_at, payload_of
from audit.search import EntryFilter, find_entries
from governance.assessment import Asking, assess_under
from governance.errors import GatewayError
from governance.models import DataSource
from governance.policy import store
from governance.policy.askers import principal_labelled
from governance.policy.program import CHANGES_BY_ITSELF, PolicyProgram
from governance.policy.replay import Comparison, Recorded, Replay, Ruling, ruling_of
from identity.principals import Principal
from identity.sealing import UnsealError

# Each statement has one of these, and no more: the run of an approved one names its request.
KINDS = frozenset({"statement.intent", "statement.parked", "statement.denied"})
DEFAULT_LIMIT = 10_000
_PAGE = 500
_SAID_EVERY = 250

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which statements: the newest `limit` of those that match."""

    since: datetime | None = None
    until: datetime | None = None
    datasource: str | None = None
    limit: int = DEFAULT_LIMIT


def replay(proposed: PolicyProgram, wanted: Wanted, progress: Progress = lambda _done: None) -> Replay:
    """`progress` is told how many statements are done, every now and then."""
    runner = _Runner(store.active(), proposed)
    for done, found in enumerate(_statements(wanted), start=1):
        runner.take(*found)
        if done % _SAID_EVERY == 0:
            progress(done)
    return runner.comparison.result()


class _Runner:
    """Decides what is alike once: principals and data sources are looked up once, each text is analysed once (the
    analysis is kept by the assessment), and equal questions are answered once."""

    def __init__(self, active: PolicyProgram, proposed: PolicyProgram) -> None:
        self.comparison = Comparison()
        self._programs = (active, proposed)
        self._reads_time = bool((active.reads | proposed.reads) & CHANGES_BY_ITSELF)
        self._rulings: dict[Hashable, tuple[Ruling, Ruling] | str] = {}
        self._principals: dict[str, Principal | str] = {}
        self._sources: dict[str, DataSource | None] = {}

    def take(self, recorded: Recorded, reason: str) -> None:
        rulings = reason or self._rulings_on(recorded)
        if isinstance(rulings, str):
            self.comparison.skip(recorded.index, rulings)
        else:
            self.comparison.add(recorded, *rulings)

    def _rulings_on(self, recorded: Recorded) -> tuple[Ruling, Ruling] | str:
        key = (
            recorded.datasource, recorded.principal, recorded.door, recorded.sql, recorded.purpose,
            recorded.on_behalf_of, bool(recorded.run), recorded.time if self._reads_time else None,
        )  # fmt: skip
        if key not in self._rulings:
            self._rulings[key] = self._rule(recorded)
        return self._rulings[key]

    def _rule(self, recorded: Recorded) -> tuple[Ruling, Ruling] | str:
        """Or why it cannot be replayed."""
        principal, source = self._principal(recorded.principal), self._source(recorded.datasource)
        if isinstance(principal, str):
            return principal
        if source is None:
            return f"There is no data source {recorded.datasource!r} any more."
        asking = Asking(principal, recorded.door, recorded.purpose, recorded.on_behalf_of, recorded.run)
        try:
            before, after = (
                ruling_of(assess_under(program, source, recorded.sql, asking, now=recorded.time).decision)
                for program in self._programs
            )
        except GatewayError as error:
            return error.title
        return before, after

    def _principal(self, label: str) -> Principal | str:
        if label not in self._principals:
            try:
                self._principals[label] = principal_labelled(label)
            except GatewayError as error:
                self._principals[label] = error.message
        return self._principals[label]

    def _source(self, name: str) -> DataSource | None:
        if name not in self._sources:
            self._sources[name] = DataSource.objects.filter(name=name).first()
        return self._sources[name]


# --- Reading the ledger -------------------------------------------------------------------------------------------


def _statements(wanted: Wanted) -> Iterator[tuple[Recorded, str]]:
    """Newest first; beside each why it cannot be replayed, or nothing."""
    left, before = wanted.limit, None
    matching = EntryFilter(since=wanted.since, until=wanted.until, datasource=wanted.datasource)
    while left > 0:
        page = find_entries(matching, before=before, limit=_PAGE)
        entries = [entry for entry in page.entries if entry.kind in KINDS and _is_first(entry)][:left]
        sealed = _sealed([entry.index for entry in entries])
        yield from (_recorded(entry, sealed.get(entry.index)) for entry in entries)
        left -= len(entries)
        if page.next is None:
            return
        before = page.next


def _is_first(entry: Entry) -> bool:
    return not (entry.kind == "statement.intent" and entry.fields.get("request"))


def _sealed(indexes: list[int]) -> dict[int, Payload]:
    return Payload.objects.in_bulk(indexes)


def _recorded(entry: Entry, payload: Payload | None) -> tuple[Recorded, str]:
    sql, reason = _text_of(entry, payload)
    names = ("principal", "door", "datasource", "fingerprint", "purpose", "on_behalf_of", "run")
    said = {name: _text(entry.fields, name) for name in names}
    return Recorded(entry.index, entry.time, sql=sql, normal=_text(entry.fields, "sql_normal"), **said), reason


def _text(header: dict[str, Any], name: str) -> str:
    return str(header.get(name) or "")


def _text_of(entry: Entry, payload: Payload | None) -> tuple[str, str]:
    """The exact text, or why there is none: erased, for one."""
    try:
        sql = (_content(entry, payload) or {}).get("sql")
    except (UnsealError, ArchiveUnavailable) as error:
        return "", str(error)
    return (sql, "") if isinstance(sql, str) else ("", "The entry holds no text.")


def _content(entry: Entry, payload: Payload | None) -> dict[str, object] | None:
    if payload is not None:
        return unseal_payload(payload.key, bytes(payload.ciphertext))
    stored = entry_at(entry.index, with_payload=True)
    return payload_of(stored) if stored else None


def replay_json(replay: Replay, most: int | None = None) -> dict[str, Any]:
    """As REST and the command line show it; `most` changes at most."""
    found = dataclasses.asdict(replay)
    found["changes"] = found["changes"][:most]
    found["verdicts"] = [{"before": b, "after": a, "count": n} for b, a, n in replay.verdicts]
    for name in ("since", "until"):
        moment: datetime | None = found[name]
        found[name] = moment.isoformat() if moment else None
    return found
