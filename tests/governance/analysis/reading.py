"""Facts of statements against a real database's catalogue, in few words."""

from __future__ import annotations

import psycopg

from governance.analysis.analyse import analyse
from governance.analysis.facts import Facts
from governance.catalogue.encode import decode, encode
from governance.catalogue.model import Catalogue
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import TargetDatabase


def catalogue_of(target: TargetDatabase, *path: str) -> Catalogue:
    """As the gateway has it: read, kept and taken out again."""
    with psycopg.connect(target.dsn, autocommit=True) as session:
        return decode(encode(read_catalogue(session, path or ("public",))), 1)


class Reading:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def facts(self, sql: str) -> Facts:
        return analyse(sql, self.catalogue).facts

    def uses(self, sql: str) -> set[str]:
        """`read customers`, `delete orders`: relations without their schema."""
        return {f"{use.use.value} {use.name}" for use in self.facts(sql).relations}

    def unknown(self, sql: str) -> set[str]:
        return {unknown.what for unknown in self.facts(sql).unknown}

    def kinds(self, sql: str) -> set[str]:
        return {kind.value for kind in self.facts(sql).kinds}

    def calls(self, sql: str) -> set[str]:
        """Functions that are not PostgreSQL's own."""
        return {use.name for use in self.facts(sql).functions if use.schema != "pg_catalog"}
