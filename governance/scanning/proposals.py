"""Proposals: kept when a scan finds something, decided by people.

What was rejected is not proposed again on the same evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from audit import ledger
from audit.events import clean_text
from governance.catalogue.model import Relation
from governance.classes import BUILT_IN
from governance.classification import Assignment, Target, classify_all
from governance.models import Classification, ClassProposal, DataSource
from governance.scanning.columns import Found
from governance.scanning.errors import ProposalGone

PLACE = ("schema", "relation", "column", "path")


@dataclass(frozen=True, slots=True)
class Choice:
    """`data_class` is what the column gets; None rejects."""

    proposal: int
    data_class: str | None


@dataclass(slots=True)
class Kept:
    proposed: list[ClassProposal] = field(default_factory=list)
    rejected_before: int = 0


def open_proposals(datasource: DataSource) -> QuerySet[ClassProposal]:
    """Without those whose column somebody has classified meanwhile."""
    same_place = {name: OuterRef(name) for name in PLACE}
    classified = Classification.objects.filter(datasource=OuterRef("datasource"), **same_place)
    return ClassProposal.objects.filter(datasource=datasource, state=ClassProposal.State.PROPOSED).exclude(
        Exists(classified)
    )


def keep(datasource: DataSource, relation: Relation, found: Iterable[tuple[Found, list[str]]]) -> Kept:
    """What was found in one relation, with masked examples. What was open and is not found any more is taken back."""
    kept = Kept()
    with transaction.atomic():
        of_relation = ClassProposal.objects.filter(
            datasource=datasource, schema=relation.schema, relation=relation.name
        )
        decided = _latest_decisions(of_relation)
        of_relation.filter(state=ClassProposal.State.PROPOSED).delete()
        for one, examples in found:
            before = decided.get((one.column.name, one.path))
            if before and before.state == ClassProposal.State.REJECTED and before.evidence == one.finding.evidence:
                kept.rejected_before += 1
                continue
            kept.proposed.append(_create(datasource, relation, one, examples))
    return kept


def _latest_decisions(proposals: QuerySet[ClassProposal]) -> dict[tuple[str, str], ClassProposal]:
    decided = proposals.exclude(state=ClassProposal.State.PROPOSED).order_by("decided_at", "id")
    return {(one.column, one.path): one for one in decided}


def _create(datasource: DataSource, relation: Relation, found: Found, examples: list[str]) -> ClassProposal:
    finding = found.finding
    return ClassProposal.objects.create(
        datasource=datasource,
        schema=relation.schema,
        relation=relation.name,
        column=found.column.name,
        path=found.path,
        data_class=finding.data_class,
        confidence=finding.confidence,
        reason=finding.reason[:500],
        share=finding.share,
        examples=examples,
        evidence=finding.evidence,
    )


def decide(datasource: DataSource, choices: Sequence[Choice], *, actor: str) -> list[ClassProposal]:
    """All of them or none. Raises `ProposalGone` where one is not open any more, `ClassificationError` where a class cannot
    be put there."""
    by_id = {choice.proposal: choice for choice in choices}
    with transaction.atomic():
        # One at a time, in the order of every change of classes: two people who click at once do not both decide.
        DataSource.objects.select_for_update(no_key=True).get(pk=datasource.pk)
        proposals = list(open_proposals(datasource).filter(pk__in=by_id))
        if missing := len(by_id) - len(proposals):
            raise ProposalGone(
                f"{missing} of the {len(by_id)} proposals {'is' if missing == 1 else 'are'} not open any more.",
                remedy="Look at the list again: somebody else may have decided, or a scan has found otherwise.",
            )
        for proposal in proposals:
            _close(proposal, by_id[proposal.pk].data_class, actor)
        accepted = [one for one in proposals if one.state == ClassProposal.State.ACCEPTED]
        classify_all(datasource, [Assignment(target_of(one), one.chosen_class) for one in accepted], actor=actor)
        for proposal in proposals:
            if proposal.state == ClassProposal.State.REJECTED:
                _record_rejection(datasource, proposal, actor)
    return proposals


def accept_above(datasource: DataSource, confidence: int, *, actor: str) -> list[ClassProposal]:
    """Those that are at least as certain. They are accepted together."""
    certain = open_proposals(datasource).filter(confidence__gte=confidence)
    choices = [Choice(one.pk, one.data_class) for one in certain]
    return decide(datasource, choices, actor=actor) if choices else []


def target_of(proposal: ClassProposal) -> Target:
    return Target(proposal.schema, proposal.relation, proposal.column, proposal.path)


def _close(proposal: ClassProposal, data_class: str | None, actor: str) -> None:
    proposal.state = ClassProposal.State.ACCEPTED if data_class else ClassProposal.State.REJECTED
    proposal.chosen_class = data_class or ""
    proposal.decided_by = actor
    proposal.decided_at = timezone.now()
    proposal.save(update_fields=["state", "chosen_class", "decided_by", "decided_at"])


def _record_rejection(datasource: DataSource, proposal: ClassProposal, actor: str) -> None:
    ledger.append_within(
        "classification.rejected",
        actor=actor,
        datasource=datasource.name,
        environment=datasource.environment,
        relations=[clean_text(f"{proposal.schema}.{proposal.relation}")],
        column=clean_text(proposal.target),
        data_class=proposal.data_class,
        confidence=proposal.confidence,
    )


def effect_of(data_class: str) -> str:
    """What its default mask leaves, in words."""
    return EFFECTS.get(BUILT_IN[data_class].mask, "") if data_class in BUILT_IN else ""


EFFECTS = {
    "redact": "one constant: nothing of the value is left",
    "null": "no value at all",
    "partial": "a part that people recognise: a domain, the last digits, a first letter",
    "bucket": "the size only: dates to their year, numbers in steps of 10,000",
    "pseudonym": "the same stand-in for the same value everywhere in the data source, so it can be joined and counted",
    "scrub": "the text, with identifiers and secrets in it replaced",
}
