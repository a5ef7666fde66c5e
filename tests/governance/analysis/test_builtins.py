"""All functions and relations of PostgreSQL's own, as the server lists them: what is closed, and what must not be."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from governance.analysis.builtins import OPEN_SYSTEM_RELATIONS, danger_of
from governance.analysis.facts import Hazard
from governance.catalogue.model import Catalogue, Function, Volatility
from governance.catalogue.read import read_catalogue
from tests.fixtures.databases import MakeTarget


@pytest.fixture(scope="module")
def session(target_database: MakeTarget) -> Iterator[psycopg.Connection]:
    with psycopg.connect(target_database().dsn, autocommit=True) as session:
        yield session


@pytest.fixture(scope="module")
def functions(session: psycopg.Connection) -> dict[str, list[Function]]:
    catalogue: Catalogue = read_catalogue(session, ["public"])
    return {
        name: [function for function in overloads if function.schema == "pg_catalog"]
        for name, overloads in catalogue.functions.items()
    }


def closed(functions: dict[str, list[Function]]) -> set[str]:
    return {name for name, overloads in functions.items() if any(map(danger_of, overloads))}


OPEN_AND_VOLATILE = """
    array_sample array_shuffle clock_timestamp currval gen_random_uuid lastval nextval pg_collation_actual_version
    pg_database_collation_actual_version pg_database_size pg_get_sequence_data pg_get_wait_events pg_indexes_size
    pg_is_in_recovery pg_jit_available pg_partition_ancestors pg_partition_tree pg_relation_size pg_sequence_last_value
    pg_table_size pg_tablespace_size pg_total_relation_size pg_xact_status random random_normal timeofday txid_status
    uuidv4 uuidv7
"""


def test_volatile_functions_are_closed_but_for_these(functions: dict[str, list[Function]]) -> None:
    volatile = {
        name for name, overloads in functions.items() if any(f.volatility is Volatility.VOLATILE for f in overloads)
    }
    assert volatile - closed(functions) == set(OPEN_AND_VOLATILE.split())


DANGEROUS = (
    r"^(pg_read_|pg_ls_|pg_stat_file|lo_|loread|lowrite|pg_file_|pg_current_logfile|pg_hba|pg_ident_file|pg_show_all)",
    r"^(query|table|cursor|schema|database)_to_xml|^ts_stat$|^ts_rewrite$",
    r"^(pg_stat_get_|pg_stat_reset|pg_stat_clear|pg_statio|pg_mcv_list_items|pg_restore_|pg_clear_)",
    r"^(set_config|current_setting|current_query|pg_cursor|pg_prepared_|pg_lock_status|pg_get_backend_|pg_logical_)",
    r"^(pg_cancel_backend|pg_terminate_backend|pg_reload_conf|pg_rotate_logfile|pg_promote|pg_switch_wal|pg_backup_)",
    r"^(pg_advisory_|pg_try_advisory_|pg_sleep|pg_notify|setval|pg_export_snapshot|pg_create_|pg_drop_|pg_copy_)",
    r"^(binary_upgrade_|pg_replication_|pg_import_|pg_control_|pg_log_|pg_extension_config_dump|pg_nextoid)",
)


@pytest.mark.parametrize("pattern", DANGEROUS)
def test_what_reaches_files_sessions_statistics_or_sql_in_texts_is_closed(
    session: psycopg.Connection, functions: dict[str, list[Function]], pattern: str
) -> None:
    rows = session.execute(
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ %s",
        [pattern],
    ).fetchall()
    names = {name for (name,) in rows}
    assert names
    assert names <= closed(functions)


INTROSPECTION = """
    acldefault aclexplode array_to_string array_upper col_description current_database current_schema current_schemas
    current_user format_type has_any_column_privilege has_column_privilege has_database_privilege
    has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege has_tablespace_privilege
    inet_client_addr inet_client_port inet_server_addr inet_server_port obj_description oidvectortypes pg_backend_pid
    pg_char_to_encoding pg_client_encoding pg_collation_for pg_collation_is_visible pg_column_is_updatable
    pg_conf_load_time pg_current_xact_id pg_describe_object pg_encoding_to_char pg_function_is_visible pg_get_constraintdef
    pg_get_expr pg_get_function_arg_default pg_get_function_arguments pg_get_function_identity_arguments
    pg_get_function_result pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_keywords
    pg_get_partition_constraintdef pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef
    pg_get_statisticsobjdef_columns pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_identify_object
    pg_is_in_recovery pg_is_other_temp_schema pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible
    pg_options_to_table pg_partition_ancestors pg_partition_root pg_partition_tree pg_postmaster_start_time
    pg_relation_filenode pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable pg_relation_size
    pg_sequence_parameters pg_size_bytes pg_size_pretty pg_statistics_obj_is_visible pg_table_is_visible pg_table_size
    pg_tablespace_databases pg_tablespace_location pg_total_relation_size pg_ts_config_is_visible pg_ts_dict_is_visible
    pg_type_is_visible pg_typeof quote_ident quote_literal regexp_match row_security_active session_user shobj_description
    statement_timestamp to_regclass to_regnamespace to_regproc to_regtype txid_current txid_current_snapshot version
"""


@pytest.mark.parametrize("name", INTROSPECTION.split())
def test_what_tools_ask_of_the_structure_is_open(functions: dict[str, list[Function]], name: str) -> None:
    assert name in functions
    assert name not in closed(functions)


HOLD_DATA_OR_SECRETS = r"""^pg_(statistic|statistic_ext_data|stats|stats_ext|stats_ext_exprs|stat_.*|statio_.*|largeobject
|authid|shadow|user_mapping|user_mappings|subscription|settings|file_settings|hba_file_rules|ident_file_mappings|config
|db_role_setting|cursors|prepared_statements|prepared_xacts|locks|replication_.*|backend_memory_contexts|shmem_.*|aios)$"""


def test_system_relations_with_data_statistics_activity_or_secrets_are_closed(session: psycopg.Connection) -> None:
    rows = session.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')"
        " AND relname ~ %s",
        [HOLD_DATA_OR_SECRETS.replace("\n", "")],
    ).fetchall()
    assert len(rows) > 50
    assert not {("pg_catalog", name) for (name,) in rows} & OPEN_SYSTEM_RELATIONS


def test_all_other_system_relations_are_open_and_there(session: psycopg.Connection) -> None:
    rows = session.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')"
        " AND c.relname !~ %s AND c.relname !~ '^_pg_' AND c.relname !~ '_options$' AND c.relname <> 'user_mappings'",
        [HOLD_DATA_OR_SECRETS.replace("\n", "")],
    ).fetchall()
    left = set(rows) - OPEN_SYSTEM_RELATIONS
    assert left == {("pg_catalog", "pg_subscription_rel")}
    assert not OPEN_SYSTEM_RELATIONS - set(rows)


def test_a_closed_function_is_told_by_its_hazard() -> None:
    found = danger_of(Function("pg_catalog", "pg_read_file", "f", Volatility.VOLATILE, "internal"))
    assert found is not None
    assert Hazard(*found).code == "file-access"
