"""Explanations and replays as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from governance.policy.demands import required_in_words, terms_in_words
from governance.policy.explanation import Explanation, effect_of
from governance.policy.replay import Replay, ReplayedChange

WIDEST_STATEMENT = 160
MOST_CHANGES = 40


def tell_explanation(explanation: Explanation) -> str:
    return "\n".join(_explanation(explanation))


def _explanation(explanation: Explanation) -> Iterator[str]:
    decision, facts = explanation.decision, explanation.assessment.facts
    asker = explanation.asking.principal.label
    yield f"{decision.verdict.value.upper()} for {asker} on {explanation.datasource} ({explanation.asking.door})"
    yield f"  {decision.message}"
    if decision.remedy:
        yield f"  Remedy: {decision.remedy}"
    if decision.required:
        wanted = " and ".join(required_in_words(decision.required))
        yield f"  Waits for {wanted}, at most {decision.expires_in // 60} minutes."
        yield from (f"  {term[0].upper()}{term[1:]}." for term in terms_in_words(decision.terms))
    yield "Policies"
    known = {policy.id: policy for policy in explanation.deciding}
    for name in decision.policies:
        policy = known.get(name)
        told = f" ({effect_of(policy)}, line {policy.line})" if policy else " (Countersign's own)"
        yield f"  {name}{told}{_after_colon(policy.notes.message if policy else '')}"
    yield f"Facts\n  kinds: {', '.join(sorted(facts.kinds)) or 'none'}"
    for use in facts.relations:
        yield f"  {use.use.value} {use.qualified}"
    for function in facts.functions:
        yield f"  calls {function.schema}.{function.name}"
    for hazard in facts.hazards:
        yield f"  hazard {hazard.code}: {hazard.message}"
    for unknown in facts.unknown:
        yield f"  not understood: {unknown.what}: {unknown.why}"
    yield from _risk_and_bounds(explanation)


def _risk_and_bounds(explanation: Explanation) -> Iterator[str]:
    risk, bound = explanation.assessment.risk, explanation.decision.obligations
    yield f"Risk {risk.score}"
    for part in risk.parts:
        yield f"  {part.points:3} {part.reason}"
    if bound.masks:
        yield "Masked"
    for mask in bound.masks:
        path = f":{mask.path}" if mask.path else ""
        yield f"  {mask.schema}.{mask.relation}.{mask.column}{path} ({mask.data_class}): {mask.mask}"
    for one in bound.row_filters:
        yield f"Only rows of {one.schema}.{one.relation} where {one.condition} ({one.policy})"
    if bound.max_rows is not None:
        yield f"At most {bound.max_rows} rows"
    if explanation.texts:
        yield "Would be sent" if explanation.assessment.is_rewritten else "Would be sent as it is"
    yield from (f"  {text}" for text in explanation.texts)


def _after_colon(text: str) -> str:
    return f": {text}" if text else ""


def tell_replay(replay: Replay) -> str:
    return "\n".join(_replay(replay))


def _replay(replay: Replay) -> Iterator[str]:
    span = (
        f" from {replay.since:%Y-%m-%d %H:%M} to {replay.until:%Y-%m-%d %H:%M}" if replay.since and replay.until else ""
    )
    yield f"{replay.replayed:,} statements replayed{span}: {replay.changed:,} would change."
    for before, after, count in replay.verdicts:
        if before != after:
            yield f"  {before} → {after}: {count:,}"
    for change in replay.changes[:MOST_CHANGES]:
        yield from _change(change)
    if len(replay.changes) > MOST_CHANGES:
        yield f"… and {len(replay.changes) - MOST_CHANGES:,} more (--json lists them all)."
    if replay.unreplayed:
        yield "Not replayed"
    for one in replay.unreplayed:
        yield f"  {one.count:,} ×  {one.reason} (for example entry {one.example})"


def _change(change: ReplayedChange) -> Iterator[str]:
    yield f"\n{change.count:,} ×  {'; '.join(change.what)}"
    yield f"  {_shortened(change.normal)}"
    yield f"  by {', '.join(change.principals)}; for example entry {change.example}"
    yield f"  decided by {', '.join(change.before.policies)} → {', '.join(change.after.policies)}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST_STATEMENT else f"{line[: WIDEST_STATEMENT - 1]}…"
