"""Encryption at rest: bound to a purpose, rotated by a new key in front, and never opened unauthenticated."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.models import Query, Result
from gateway.pipeline import submit
from governance.models import DataSource
from identity.sealing import UnsealError, seal, unseal
from tests.factories import Cast
from tests.gateway.conftest import cast, shop

__all__ = ["cast", "shop"]
OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40


@pytest.fixture
def keys(settings: Any) -> Any:
    def put(*keys: str) -> None:
        settings.COUNTERSIGN_ENCRYPTION_KEYS = list(keys)

    put(OLD)
    return put


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(value=st.binary(max_size=200), purpose=st.text(max_size=20))
def test_what_was_sealed_opens_for_its_purpose(keys: Any, value: bytes, purpose: str) -> None:
    assert unseal(seal(value, purpose), purpose) == value


def test_equal_values_are_sealed_differently(keys: Any) -> None:
    assert len({seal(b"value", "p") for _ in range(50)}) == 50


def test_a_sealed_value_does_not_show_the_value(keys: Any) -> None:
    assert b"value" not in seal(b"value", "p")


def test_a_sealed_value_does_not_open_for_another_purpose(keys: Any) -> None:
    with pytest.raises(UnsealError, match="belongs elsewhere"):
        unseal(seal(b"value", "governance.datasource.dsn"), "gateway.query.sql")


def test_every_changed_byte_is_found(keys: Any) -> None:
    sealed = seal(b"value", "p")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(UnsealError):
            unseal(changed, "p")


def test_a_shortened_value_is_found(keys: Any) -> None:
    sealed = seal(b"value", "p")
    for length in range(len(sealed)):
        with pytest.raises(UnsealError):
            unseal(sealed[:length], "p")


def test_a_new_key_in_front_seals_and_the_old_one_still_opens(keys: Any) -> None:
    before = seal(b"before", "p")
    keys(NEW, OLD)
    after = seal(b"after", "p")
    assert (unseal(before, "p"), unseal(after, "p")) == (b"before", b"after")
    keys(NEW)
    assert unseal(after, "p") == b"after"


def test_a_key_that_is_gone_is_told_by_its_setting_and_no_key_is_shown(keys: Any) -> None:
    before = seal(b"before", "p")
    keys(NEW)
    with pytest.raises(UnsealError, match="COUNTERSIGN_ENCRYPTION_KEYS") as refused:
        unseal(before, "p")
    assert NEW not in str(refused.value)
    assert OLD not in str(refused.value)


# --- In the database ------------------------------------------------------------------------------------------------

SECRET = "a-value-to-be-kept"


def stored(table: str, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg({column}, '') FROM {table}")
        return bytes(cursor.fetchone()[0])


def test_secrets_statements_parameters_and_results_are_sealed_in_the_database(cast: Cast) -> None:
    query = submit(cast.submission(f"SELECT '{SECRET}', $1::text", params=(SECRET,))).query
    password = cast.datasource.dsn.split("password=")[1].split()[0]
    assert password.encode() not in stored("governance_datasource", "dsn")
    for table, column in (("gateway_query", "sql"), ("gateway_query", "params"), ("gateway_result", "content")):
        assert SECRET.encode() not in stored(table, column)
    query.refresh_from_db()
    assert (query.params, Result.objects.get().content["rows"]) == ([SECRET], [[SECRET, SECRET]])


def test_a_sealed_value_pasted_into_another_column_does_not_open(cast: Cast) -> None:
    """A secret cannot be brought to show by moving it to where it would be shown."""
    query = submit(cast.submission("SELECT 1")).query
    with connection.cursor() as cursor:
        cursor.execute("UPDATE gateway_query SET sql = (SELECT dsn FROM governance_datasource)")
    with pytest.raises(UnsealError):
        Query.objects.get(pk=query.pk)


def test_a_value_that_was_changed_in_the_database_does_not_open(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE governance_datasource SET dsn = set_byte(dsn, 20, get_byte(dsn, 20) # 1)")
    with pytest.raises(UnsealError):
        DataSource.objects.get()


@pytest.mark.parametrize("value", [None, [], {}, [1, "a", None, {"b": [True, 1.5]}], "text", 0, ""])
def test_a_sealed_json_value_comes_back_as_it_was(cast: Cast, value: Any) -> None:
    query = submit(cast.submission("SELECT 1")).query
    Result.objects.filter(query=query).update(content=value if value is not None else {})
    assert Result.objects.get(query=query).content == (value if value is not None else {})
