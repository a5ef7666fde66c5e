"""Measuring by hand, and a shop with triggers, cascades, sequences and partitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from approvals.impact.content import Cell, Change, Content, from_json
from approvals.impact.sentences import sentence
from approvals.models import Impact, Request
from gateway import impact
from gateway.pipeline import submit
from governance.catalogue import store as catalogue_store
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

Park = Callable[..., Request]
Measure = Callable[..., Impact]

MORE = """
CREATE TABLE parcels (
    id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE, weight integer
);
CREATE TABLE history (id serial PRIMARY KEY, what text NOT NULL);
CREATE TABLE noted (id integer PRIMARY KEY, body text, amount integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO public.history (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER keeps AFTER UPDATE ON noted FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER keeps_amounts AFTER UPDATE OF amount ON noted FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE parts (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts_2025 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO parcels SELECT n, 1 + n % 60, n FROM generate_series(1, 90) n;
INSERT INTO noted SELECT n, 'note ' || n, n FROM generate_series(1, 10) n;
INSERT INTO parts SELECT n, date '2024-01-01' + n FROM generate_series(0, 729) n;
"""


@pytest.fixture
def park(cast: Cast, nobody_works: None) -> Park:
    """A statement that waits for people and that nobody has measured."""

    def parked(sql: str, who: Any = None, **more: Any) -> Request:
        request = submit(cast.submission(sql, who, **more)).query.request
        assert request is not None
        return request

    return parked


@pytest.fixture
def measure(park: Park) -> Measure:
    def measured(sql: str, who: Any = None, **more: Any) -> Impact:
        request = park(sql, who, **more)
        impact.measure(request.pk)
        return impact_of(request)

    return measured


@pytest.fixture
def larger_shop(cast: Cast, shop: TargetDatabase) -> TargetDatabase:
    shop.admin.execute(f'SET ROLE "{shop.role}"; {MORE} RESET ROLE;')
    catalogue_store.synchronise(cast.datasource, actor="test")
    return shop


def impact_of(request: Request) -> Impact:
    return Impact.objects.select_related("request").get(request=request)


def content(found: Impact) -> Content:
    return from_json(found.content)


def said(found: Impact) -> str:
    return sentence(content(found), found.estimated_rows)


def cell(found: Impact, column: str, row: int = 0) -> Cell:
    return next(one for one in content(found).samples[0].rows[row].cells if one.column == column)


def changes(found: Impact) -> dict[str, Change]:
    return {change.name: change for change in content(found).changes}
