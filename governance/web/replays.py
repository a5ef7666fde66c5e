"""A replay as a page shows it: how many statements went which way, and what would have been decided otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from governance.datasources import list_datasources_for
from governance.policy.program import PolicyProgram
from governance.policy.replay import Replay
from governance.policy.replaying import Progress, Wanted, replay
from governance.web.forms import SPANS, ReplayForm
from identity.principals import Principal

# The newest of the span. A page that is waited for must come; `policy replay` on the command line takes all.
MOST = 5_000
MOST_BESIDE_ACTIVATION = 1_000
SHOWN_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Flow:
    """Statements that were decided one way and would be decided another. `width` of 100 is the most frequent."""

    before: str
    after: str
    count: int
    width: float

    @property
    def is_change(self) -> bool:
        return self.before != self.after


def replay_form(person: Principal, data: Any = None) -> ReplayForm:
    sources = [source.name for source in list_datasources_for(person)]
    return ReplayForm(data, sources=sources)


def replayed(
    program: PolicyProgram, span: str, source: str = "", most: int = MOST, progress: Progress = lambda _done: None
) -> dict[str, Any]:
    """For `_replayed.html`."""
    wanted = Wanted(since=timezone.now() - SPANS[span], datasource=source or None, limit=most)
    found = replay(program, wanted, progress)
    taken = found.replayed + sum(one.count for one in found.unreplayed)
    return {
        "replay": found,
        "flows": flows_of(found),
        "changes_shown": found.changes[:SHOWN_CHANGES],
        "changes_hidden": max(0, len(found.changes) - SHOWN_CHANGES),
        "most": most if taken >= most else None,
        "span": span,
    }


def flows_of(found: Replay) -> list[Flow]:
    """What changes comes first; what is rare must still be seen beside what is frequent."""
    top = max((count for *_, count in found.verdicts), default=1)
    flows = [Flow(before, after, n, max(1.0, round(100 * n / top, 1))) for before, after, n in found.verdicts]
    return sorted(flows, key=lambda flow: (not flow.is_change, -flow.count))
