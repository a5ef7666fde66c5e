"""Settings: which may be shown and set, and what no policy can open."""

from __future__ import annotations

import pytest

from gateway.drivers.postgres import SESSION
from governance.analysis.settings import harmless_to_set, harmless_to_show, is_relied_on
from tests.governance.analysis.shop import facts

HARMLESS = (
    "SET application_name = 'x'", "SET LOCAL statement_timeout = 0", "SET lock_timeout TO '5s'", "RESET timezone",
    "SET extra_float_digits = 3", "SET TIME ZONE 'UTC'", "SET TIME ZONE DEFAULT", "SET timezone TO utc",
    "SET DATESTYLE = ISO", "SET datestyle TO iso, mdy", "SET INTERVALSTYLE = POSTGRES", "SET NAMES 'utf8'",
    "SET standard_conforming_strings = on", "SET row_security = off", "SET client_min_messages = warning",
    "SET search_path TO public", "SET search_path = ''", "SET search_path = pg_catalog, public, pg_temp",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET XML OPTION DOCUMENT",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY, DEFERRABLE", "SET default_transaction_read_only = on",
    "SELECT pg_catalog.set_config('search_path', '', false)", "SELECT set_config('search_path', 'public', true)",
    "SHOW server_version", "SHOW search_path", "SHOW TRANSACTION ISOLATION LEVEL", "SHOW TIME ZONE", 'SHOW "TimeZone"',
)  # fmt: skip
ESCAPES = (
    "SET ROLE x", "RESET ROLE", "SET SESSION AUTHORIZATION x", "SET SESSION AUTHORIZATION DEFAULT",
    "SET session_replication_role = replica", "SET app.who = '1'", "SET enable_seqscan = off", "SET work_mem = '9GB'",
    "SET synchronous_commit = off", "SET client_min_messages = log", "SET TRANSACTION READ WRITE",
    "SET TRANSACTION SNAPSHOT 'x'", "SET default_transaction_read_only = off", "SHOW data_directory",
    "SHOW hba_file", "SHOW ssl_key_file", "SHOW app.secret", "SHOW nothing",
)  # fmt: skip
REFUSED = (
    "SET standard_conforming_strings = off", "SET client_encoding = latin1", "SET NAMES 'sjis'",
    "SET TIME ZONE 'Asia/Tokyo'", "SET TIME ZONE INTERVAL '1' HOUR TO MINUTE", "SET TIME ZONE -7",
    "SET datestyle = german", "SET bytea_output = escape", "SET transform_null_equals = on", "RESET ALL", "SHOW ALL",
    "RESET search_path", "SET search_path TO DEFAULT", "SET search_path = nowhere", 'SET search_path = "$user", public',
    "SET search_path = public, pg_catalog", "SET countersign.key = 'x'", "SHOW countersign.key", "RESET countersign.key",
    'SET "Countersign"."Key" = 1',
)  # fmt: skip


@pytest.mark.parametrize("sql", HARMLESS)
def test_what_is_harmless_is_understood_and_no_hazard(sql: str) -> None:
    found = facts(sql)
    assert not found.unknown
    assert not found.hazards
    assert {kind.value for kind in found.kinds} <= {"session", "read"}


@pytest.mark.parametrize("sql", ESCAPES)
def test_what_is_not_known_to_be_harmless_is_an_escape(sql: str) -> None:
    found = facts(sql)
    assert not found.unknown
    assert found.hazard_codes == {"session-escape"}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_analysis_and_masks_rely_on_is_refused_whatever_the_policies_say(sql: str) -> None:
    found = facts(sql)
    assert found.unknown
    assert found.hazard_codes == {"session-escape"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT set_config('search_path', 'public', true), 1",
        "SELECT set_config('search_path', 'public', true) LIMIT 0",
        "SELECT set_config('search_path', 'public', true) FROM orders",
        "SELECT set_config('search_path', '\"public\"', true)",
        "SELECT set_config('search_path', status, true) FROM orders",
    ],
)
def test_a_search_path_that_is_set_on_the_way_is_not_followed(sql: str) -> None:
    assert facts(sql).unknown


@pytest.mark.parametrize(("name", "value"), SESSION.items())
def test_what_the_driver_sets_may_be_set_to_the_same_and_shown(name: str, value: str) -> None:
    assert harmless_to_set(name, value)
    assert harmless_to_set(name.upper(), f" {value.upper()} ")
    assert harmless_to_set(name, None)
    assert harmless_to_show(name)


@pytest.mark.parametrize("name", ["countersign.x", "Countersign.Key", "search_path", "ALL"])
def test_a_setting_that_is_relied_on_is_never_harmless_to_set(name: str) -> None:
    assert is_relied_on(name)
    assert not harmless_to_set(name, "x")
    assert not harmless_to_set(name, None)
