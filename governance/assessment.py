"""Analyse and decide, with what may be kept of either.

An analysis is kept by text and catalogue version; a whole assessment by everything that it depends on, unless a policy
reads something that changes by itself. Both caches are this process's own, under the versions that are in force: nothing
outlives a new catalogue, class or policy for longer than a lease (governance/versions.py).
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from governance.analysis.analyse import Script, analyse_script
from governance.analysis.facts import Facts, Risk
from governance.analysis.functions import NOT_IN_CATALOGUE
from governance.catalogue import store as catalogue_store
from governance.catalogue.model import Catalogue, RelationName
from governance.classes import UNCLASSIFIED_TEXT, unclassified_text_columns
from governance.classification import classes_of
from governance.errors import GatewayError
from governance.kept import Kept
from governance.masking.errors import MaskingImpossible
from governance.masking.plan import MaskPlan, explained, is_explain, plan_masks
from governance.masking.rewrite import rewrite
from governance.masking.writes import sensitive_hazards
from governance.models import DataSource
from governance.policy import store as policy_store
from governance.policy.decision import Decision, Verdict
from governance.policy.demands import demands_in_words
from governance.policy.engine import decide
from governance.policy.program import CHANGES_BY_ITSELF, PolicyProgram
from governance.policy.question import Question
from governance.risk import assess as assess_risk
from governance.touched import NOTHING, Touched, touched_classes
from governance.versions import Versions, in_force
from identity.principals import Principal

logger = logging.getLogger(__name__)

Classes = Mapping[RelationName, Mapping[str, str]]
# A name that is not found makes the catalogue be read again, but not more often than this for one data source.
SECONDS_BETWEEN_READS = 5.0


@dataclass(frozen=True, slots=True)
class Asking:
    """What the decision may depend on besides the statement."""

    principal: Principal
    door: str
    purpose: str = ""
    on_behalf_of: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """`plans` and `texts` have one item for each statement of the script: the masks, and what would run, with masks in place.
    Both are empty where the verdict is deny."""

    script: Script
    facts: Facts
    risk: Risk
    decision: Decision
    plans: tuple[MaskPlan, ...] = ()
    texts: tuple[str, ...] = ()
    touched: Touched = NOTHING

    @property
    def is_rewritten(self) -> bool:
        return bool(self.texts) and any(
            text != analysis.parsed.sql for text, analysis in zip(self.texts, self.script.statements, strict=True)
        )


def assess(datasource: DataSource, sql: str, asking: Asking, *, read_again: bool = True) -> Assessment:
    """Raises `Unreadable`; what cannot be masked is denied. `read_again`: the catalogue, where a name is missing."""
    versions = in_force(datasource)
    program = policy_store.active(versions)
    key = _key(program, datasource, versions, asking, sql)
    kept = _assessments.get(key) if key else None
    if kept is not None:
        return kept
    catalogue = catalogue_store.current(datasource, versions)
    script = _script(datasource, sql, catalogue)
    if read_again and _names_the_unknown(script) and _read_again(datasource):
        return assess(datasource, sql, asking, read_again=False)
    assessment = _assess(datasource, script, classes_of(datasource, catalogue, versions), program, asking)
    # What is not in the catalogue may be there the next time that it is read.
    if key and not _names_the_unknown(script):
        _assessments.put(key, assessment, _weight(sql))
    return assessment


def assess_under(
    program: PolicyProgram, datasource: DataSource, sql: str, asking: Asking, *, now: datetime | None = None
) -> Assessment:
    """Like `assess`, by policies that need not be the active ones, and at any time: to explain and to replay. What comes of
    it is not kept."""
    versions = in_force(datasource)
    catalogue = catalogue_store.current(datasource, versions)
    script = _script(datasource, sql, catalogue)
    return _assess(datasource, script, classes_of(datasource, catalogue, versions), program, asking, now)


def _script(datasource: DataSource, sql: str, catalogue: Catalogue) -> Script:
    key = (datasource.pk, catalogue.version, sql)
    return _scripts.get_or_make(key, lambda: analyse_script(sql, catalogue), _weight(sql))


def _weight(sql: str) -> int:
    return 100 + len(sql)


def _names_the_unknown(script: Script) -> bool:
    return any(unknown.why.partition(" (inside ")[0] in NOT_IN_CATALOGUE for unknown in script.facts.unknown)


def _assess(
    datasource: DataSource,
    script: Script,
    classes: Classes,
    program: PolicyProgram,
    asking: Asking,
    now: datetime | None = None,
) -> Assessment:
    relations = {(use.schema, use.name) for use in script.facts.relations}
    mine = {name: columns for name, columns in classes.items() if name in relations}
    hazards = tuple(hazard for analysis in script.statements for hazard in sensitive_hazards(analysis, mine))
    facts = dataclasses.replace(script.facts, hazards=script.facts.hazards + hazards) if hazards else script.facts
    asked = _with_unclassified_text(datasource, script, mine, relations)
    risk, decision = _decide(datasource, facts, asked, program, asking, now)
    plans: tuple[MaskPlan, ...] = ()
    texts: tuple[str, ...] = ()
    try:
        if decision.verdict is not Verdict.DENY:
            plans = _planned(script, decision)
            if shown := explained(script.statements, plans):
                facts = dataclasses.replace(facts, hazards=(*facts.hazards, shown))
                risk, decision = _decide(datasource, facts, asked, program, asking, now)
        if decision.verdict is not Verdict.DENY:
            texts = tuple(rewrite(analysis, plan) for analysis, plan in zip(script.statements, plans, strict=True))
    except MaskingImpossible as error:
        decision = _refused(decision, error)
    touched = touched_classes(facts, mine, decision)
    if decision.verdict is Verdict.DENY:
        return Assessment(script, facts, risk, decision, touched=touched)
    return Assessment(script, facts, risk, decision, plans, texts, touched)


def _planned(script: Script, decision: Decision) -> tuple[MaskPlan, ...]:
    bound = decision.obligations
    return tuple(plan_masks(one, bound.masks, bound.row_filters) for one in script.statements)


def _refused(decision: Decision, error: MaskingImpossible) -> Decision:
    return dataclasses.replace(
        decision,
        verdict=Verdict.DENY,
        policies=("masking-impossible",),
        message=error.message,
        remedy=error.remedy,
        required=(),
    )


def _with_unclassified_text(
    datasource: DataSource, script: Script, classes: Classes, touched: set[RelationName]
) -> Classes:
    """The second line of defence is for what leaves: a write that copies text copies it as it is."""
    if not script.facts.reads_only or any(is_explain(analysis) for analysis in script.statements):
        return classes
    asked: dict[RelationName, Mapping[str, str]] = dict(classes)
    for name in touched:
        if relation := script.catalogue.relations.get(name):
            mine = classes.get(name, {})
            texts = _texts.get_or_make(
                (datasource.pk, script.catalogue.version, name, frozenset(mine)),
                lambda relation=relation, mine=mine: unclassified_text_columns(relation, mine),  # type: ignore[misc]
            )
            if texts:
                asked[name] = {**mine, **dict.fromkeys(texts, UNCLASSIFIED_TEXT)}
    return asked


def _decide(
    datasource: DataSource,
    facts: Facts,
    classes: Classes,
    program: PolicyProgram,
    asking: Asking,
    now: datetime | None,
) -> tuple[Risk, Decision]:
    named = {data_class for columns in classes.values() for data_class in columns.values()}
    risk = assess_risk(facts, datasource.environment, named - {UNCLASSIFIED_TEXT})
    return risk, decide(program, _question(datasource, facts, classes, asking, risk.score, now))


def _question(
    datasource: DataSource, facts: Facts, classes: Classes, asking: Asking, risk: int, now: datetime | None
) -> Question:
    principal = asking.principal
    return Question(
        principal=principal.label,
        kind="user" if principal.is_person else "agent",
        name=principal.name,
        groups=principal.groups,
        owner=principal.owner,
        is_administrator=principal.is_administrator,
        datasource=datasource.name,
        environment=datasource.environment,
        facts=facts,
        classes=classes,
        door=asking.door,
        now=now or timezone.now(),
        purpose=asking.purpose,
        on_behalf_of=asking.on_behalf_of,
        run=asking.run,
        risk=risk,
    )


def _key(
    program: PolicyProgram, datasource: DataSource, versions: Versions, asking: Asking, sql: str
) -> Hashable | None:
    """Everything that the answer depends on; None where it must not be kept."""
    # The risk follows from the statement, its classes and the environment: all of them are in the key.
    if program.reads & (CHANGES_BY_ITSELF - {"risk"}):
        return None
    principal = asking.principal
    return (
        versions, datasource.pk, datasource.name, datasource.environment, sql, principal.label, principal.groups,
        principal.owner, principal.is_administrator, asking.door, asking.purpose, asking.on_behalf_of, bool(asking.run),
    )  # fmt: skip


# --- What is kept -------------------------------------------------------------------------------------------------

# In characters of text: a parse tree takes about 130 bytes for each.
_assessments: Kept[Assessment] = Kept(1_000_000)
_scripts: Kept[Script] = Kept(1_000_000)
_texts: Kept[tuple[str, ...]] = Kept(8192)
_last_read: dict[int, float] = {}


def forget() -> None:
    """Empties the caches, for measurements and tests."""
    for kept in (_assessments, _scripts, _texts):
        kept.clear()
    _last_read.clear()


def _read_again(datasource: DataSource) -> bool:
    """Whether the catalogue was read again. A data source that is away is told of later, when the statement would run."""
    now = time.monotonic()
    if now - _last_read.get(datasource.pk, -SECONDS_BETWEEN_READS) < SECONDS_BETWEEN_READS:
        return False
    _last_read[datasource.pk] = now
    try:
        catalogue_store.synchronise(datasource, actor="gateway")
    except GatewayError as error:
        logger.warning("The catalogue of %s could not be read again: %s", datasource.name, error.message)
        return False
    return True


def facts_json(facts: Facts) -> dict[str, Any]:
    """As REST, requests and queries show it."""
    return {
        "kinds": sorted(kind.value for kind in facts.kinds),
        "relations": [{"schema": use.schema, "name": use.name, "use": use.use.value} for use in facts.relations],
        "columns": _columns_json(facts),
        "functions": [dataclasses.asdict(use) for use in facts.functions],
        "hazards": [dataclasses.asdict(hazard) for hazard in facts.hazards],
        "unknown": [dataclasses.asdict(unknown) for unknown in facts.unknown],
        "by_key": facts.by_key,
        "rows_inserted": facts.rows_inserted,
        "statements": facts.statements,
        "outside_transaction": facts.outside_transaction,
        "fingerprint": facts.fingerprint,
        "normal": facts.normal,
    }


def _columns_json(facts: Facts) -> list[dict[str, Any]]:
    """Each column once, with all clauses that use it."""
    clauses: dict[tuple[str, str, str], list[str]] = {}
    for use in facts.columns:
        clauses.setdefault((use.schema, use.relation, use.column), []).append(use.clause.value)
    return [
        {"schema": schema, "relation": relation, "column": column, "clauses": sorted(found)}
        for (schema, relation, column), found in sorted(clauses.items())
    ]


def decision_json(decision: Decision, risk: Risk) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "risk": risk.score,
        "risk_parts": [dataclasses.asdict(part) for part in risk.parts],
        "policies": list(decision.policies),
        "message": decision.message,
        "remedy": decision.remedy,
        "required": [dataclasses.asdict(required) for required in decision.required],
        "terms": {**dataclasses.asdict(decision.terms), "windows": list(decision.terms.windows)},
        "demands": list(demands_in_words(decision)),
        "masks": [dataclasses.asdict(mask) for mask in decision.obligations.masks],
        "row_filters": [dataclasses.asdict(one) for one in decision.obligations.row_filters],
        "policy_version": decision.set_version,
    }
