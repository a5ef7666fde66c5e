"""A class on a place inside a JSON column, through the whole pipeline."""

from __future__ import annotations

import pytest

from gateway.pipeline import submit
from governance import assessment
from governance.catalogue import store
from governance.classification import classify
from tests.factories import Cast
from tests.fixtures.databases import TargetDatabase

PROFILES = """
CREATE TABLE profiles (id integer PRIMARY KEY, data jsonb);
INSERT INTO profiles VALUES (1, '{"mail": "ada@example.com", "plan": "paid", "calls": [{"to": "+46701234567", "n": 2}]}');
GRANT SELECT ON profiles TO PUBLIC;
"""


@pytest.fixture
def places(cast: Cast, shop: TargetDatabase) -> Cast:
    shop.admin.execute(PROFILES)
    store.synchronise(cast.datasource, "user:root")
    classify(cast.datasource, "public.profiles.data:$.mail", "email", actor="user:root")
    classify(cast.datasource, "public.profiles.data:$.calls[*].to", "phone", actor="user:root")
    assessment.forget()
    return cast


def rows(cast: Cast, sql: str) -> list[list[object]]:
    outcome = submit(cast.submission(sql))
    assert outcome.content is not None
    found: list[list[object]] = outcome.content["rows"]
    return found


def test_only_what_stands_at_the_places_is_masked(places: Cast) -> None:
    expected = {"mail": "***@example.com", "plan": "paid", "calls": [{"to": "************67", "n": 2}]}
    assert rows(places, "SELECT data FROM profiles") == [[expected]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT data ->> 'mail' FROM profiles",
        "SELECT p::text FROM profiles p",
        "SELECT x FROM profiles, jsonb_path_query(data, '$.**') x",
        "SELECT id FROM profiles WHERE data ->> 'mail' = 'ada@example.com'",
        'SELECT data @> \'{"mail": "ada@example.com"}\' FROM profiles',
        "SELECT data::json #>> '{calls,0,to}' FROM profiles",
    ],
)
def test_no_way_to_read_a_place_shows_it(places: Cast, sql: str) -> None:
    shown = repr(rows(places, sql))
    assert "ada" not in shown
    assert "0123456" not in shown
    assert "True" not in shown


def test_a_place_that_is_not_classified_can_be_filtered_by(places: Cast) -> None:
    assert rows(places, "SELECT id FROM profiles WHERE data ->> 'plan' = 'paid'") == [[1]]
