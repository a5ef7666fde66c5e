"""`classify NAME --scan`: a scan in the foreground, told on the terminal or as JSON. Never a value, only what masks leave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from governance.classification import ClassificationError, parse_target
from governance.management.plain import ACTOR
from governance.models import ClassProposal, DataSource
from governance.scanning import proposals, scan
from governance.scanning.sampling import MOST_ROWS, ROWS
from governance.scanning.validators import COUNTRIES

# Progress is told this often, so that a scan of a small database says nothing but its result.
SECONDS = 2.0
OPTIONS = ("sample", "relation", "country", "accept_above", "json")

Write = Callable[[str], object]


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--scan", action="store_true", help="propose classes from names and from a bounded, read-only sample of values"
    )
    parser.add_argument("--sample", type=int, metavar="ROWS", help=f"with --scan: rows of each table (default {ROWS})")
    parser.add_argument("--relation", metavar="SCHEMA.TABLE", help="with --scan: only this table")
    parser.add_argument(
        "--country",
        action="append",
        metavar="CC",
        help="with --scan: a country whose telephone numbers are looked for; can be repeated"
        f" (default {', '.join(COUNTRIES)})",
    )
    parser.add_argument(
        "--accept-above",
        type=int,
        metavar="PERCENT",
        help="with --scan: classify what is proposed with at least this confidence; without it nothing changes",
    )
    parser.add_argument("--json", action="store_true", help="with --scan: the result as JSON")


def refuse_without_scan(options: dict[str, Any]) -> None:
    given = [f"--{name.replace('_', '-')}" for name in OPTIONS if options.get(name) not in (None, False)]
    if given and not options["scan"]:
        raise CommandError(f"{given[0]} belongs to --scan: classify NAME --scan {given[0]} …")


def scan_and_tell(datasource: DataSource, options: dict[str, Any], out: Write, progress: Write) -> None:
    confidence = options["accept_above"]
    if confidence is not None and not 1 <= confidence <= 100:
        raise CommandError("--accept-above is a confidence from 1 to 100.")
    asked = _options(options)
    outcome = scan.run(scan.begin(datasource, actor=ACTOR), asked, _teller(progress))
    if outcome is None:
        raise CommandError("A worker has taken this scan; look at its proposals on the page Classification.")
    accepted = proposals.accept_above(datasource, confidence, actor=ACTOR) if confidence is not None else []
    tell = _tell_json if options["json"] else _tell
    tell(datasource, outcome, {one.pk for one in accepted}, out)


def _options(options: dict[str, Any]) -> scan.Options:
    sample = ROWS if options["sample"] is None else options["sample"]
    if not 1 <= sample <= MOST_ROWS:
        raise CommandError(f"--sample is a number of rows from 1 to {MOST_ROWS:,}.")
    relation = None
    if options["relation"]:
        try:
            target = parse_target(f"{options['relation']}.any")
        except ClassificationError:
            raise CommandError(f"{options['relation']!r} is no SCHEMA.TABLE, such as public.customers.") from None
        relation = (target.schema, target.relation)
    countries = tuple(country.upper() for country in options["country"] or COUNTRIES)
    if wrong := [country for country in countries if len(country) != 2 or not country.isalpha()]:
        raise CommandError(f"{wrong[0]!r} is no country code of two letters, such as SE.")
    return scan.Options(sample, relation, countries)


def _teller(progress: Write) -> scan.Tell:
    last = time.monotonic()

    def tell(done: int, total: int, name: str) -> None:
        nonlocal last
        if name and time.monotonic() - last >= SECONDS:
            last = time.monotonic()
            progress(f"{done} of {total} tables read; now {name}")

    return tell


def _tell(datasource: DataSource, outcome: scan.Outcome, accepted: set[int], out: Write) -> None:
    for one in _ordered(outcome.proposed):
        out(f"{one.target}={one.data_class}  {one.confidence}%{'  accepted' if one.pk in accepted else ''}")
        out(f"    {one.reason}")
        if one.examples:
            out(f"    masked: {', '.join(one.examples)}")
    for relation, reason in outcome.skipped:
        out(f"{relation} was not read: {reason}.")
    out(_summary(datasource, outcome, len(accepted)))


def _summary(datasource: DataSource, outcome: scan.Outcome, accepted: int) -> str:
    told = f"{outcome.relations} tables of {datasource.name} scanned: {len(outcome.proposed)} classes proposed"
    if outcome.rejected_before:
        told += f", {outcome.rejected_before} left out that were rejected before"
    if accepted:
        return f"{told}, {accepted} accepted."
    if not outcome.proposed:
        return f"{told}."
    return (
        f"{told}. Nothing is classified yet: accept on the page Classification, with --accept-above PERCENT,"
        f" or with classify {datasource.name} COLUMN=CLASS."
    )


def _tell_json(datasource: DataSource, outcome: scan.Outcome, accepted: set[int], out: Write) -> None:
    found = {
        "datasource": datasource.name,
        "relations": outcome.relations,
        "proposals": [
            {
                "id": one.pk,
                "column": one.target,
                "class": one.data_class,
                "confidence": one.confidence,
                "validated_percent": one.share,
                "reason": one.reason,
                "masked_examples": one.examples,
                "accepted": one.pk in accepted,
            }
            for one in _ordered(outcome.proposed)
        ],
        "rejected_before": outcome.rejected_before,
        "skipped": [{"relation": relation, "reason": reason} for relation, reason in outcome.skipped],
    }
    out(json.dumps(found, indent=2, ensure_ascii=False))


def _ordered(found: Iterable[ClassProposal]) -> list[ClassProposal]:
    return sorted(found, key=lambda one: (-one.confidence, one.target))
