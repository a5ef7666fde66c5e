"""The ground itself: what other tests rely on."""

import psycopg
import pytest
from django.contrib.auth.models import Group

from tests.fixtures.databases import MakeTarget


@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_commits_is_seen_by_other_sessions_and_gone_for_the_next_test(control_db: str, turn: int) -> None:
    assert not Group.objects.exists()
    Group.objects.create(name="dba")
    with psycopg.connect(control_db) as session:
        assert session.execute("SELECT count(*) FROM auth_group").fetchone() == (1,)


def test_what_migrations_made_survives(control_db: str) -> None:
    with psycopg.connect(control_db) as session:
        assert session.execute("SELECT count(*) > 0 FROM django_content_type").fetchone() == (True,)


def test_a_target_database_is_reached_by_a_role_that_is_nobody_special(target_database: MakeTarget) -> None:
    target = target_database("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    with psycopg.connect(target.dsn) as session:
        assert session.execute("SELECT id, (SELECT rolsuper FROM pg_roles WHERE rolname = user) FROM t").fetchall() == [
            (1, False)
        ]
    assert target.fetch("SELECT * FROM t") == [(1,)]
