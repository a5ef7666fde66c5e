"""A copy carries its classes: what a statement is about to fill with raw values is classified before it runs.

The classes are in force everywhere before the values are there. Should the statement then fail, they stay: a class too many
hides something, a class too few shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.analysis.analyse import Script
from governance.analysis.overlay import TEMPORARY
from governance.classes import split_place
from governance.classification import Assignment, Target, classes_of, classify_copied
from governance.errors import Denied
from governance.masking.copies import copied_classes
from governance.masking.errors import MaskingImpossible
from governance.masking.moves import renamed_classes, rewritten_classes
from governance.masking.plan import MaskPlan
from governance.models import DataSource


def carry_classes(datasource: DataSource, script: Script, plans: Sequence[MaskPlan], *, actor: str) -> None:
    """Raises `Denied` where it cannot be told which columns would need a class. `plans`: one for each statement."""
    if script.facts.reads_only:
        return
    try:
        wanted = carried_classes(datasource, script, plans)
    except MaskingImpossible as error:
        raise Denied(error.message, remedy=error.remedy) from error
    if wanted:
        classify_copied(datasource, wanted, actor=actor)


def carried_classes(datasource: DataSource, script: Script, plans: Sequence[MaskPlan]) -> list[Assignment]:
    """What running it would classify. Raises `MaskingImpossible` where that cannot be told."""
    return list(_assignments(datasource, script, plans))


def _assignments(datasource: DataSource, script: Script, plans: Sequence[MaskPlan]) -> Iterator[Assignment]:
    """A later statement may copy on what an earlier one of the text copied."""
    classes = {name: dict(places) for name, places in classes_of(datasource).items()}
    for analysis, plan in zip(script.statements, plans, strict=True):
        found = (
            copied_classes(analysis, classes, plan),
            renamed_classes(analysis, classes),
            rewritten_classes(analysis, classes),
        )
        brought = [item for one in found for item in one.items()]
        for (schema, relation), places in brought:
            classes.setdefault((schema, relation), {}).update(places)
            if schema == TEMPORARY:
                continue  # gone with the transaction: it matters to what the rest of the text copies from it
            for place, data_class in places.items():
                column, path = split_place(place)
                yield Assignment(Target(schema, relation, column, path), data_class)
