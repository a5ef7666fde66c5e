"""What is known of PostgreSQL's own functions and system relations. Pure.

A built-in function is taken as harmless when it is immutable or stable and not of a family below; a volatile one only when
it is listed. The families are those that run SQL, reach files, other sessions, the network or the server, or show what
others do or what the statistics hold (PostgreSQL 18 documentation, chapters 9.24 to 9.30, 27 and 52).
"""

from __future__ import annotations

import re

from governance.catalogue.model import Function, Volatility

FAMILIES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (code, why, re.compile(rf"\A(?:{pattern})\Z"))
    for code, why, pattern in (
        (
            "file-access",
            "it reaches files of the database server",
            r"pg_read_.*|pg_ls_.*|pg_stat_file|pg_file_.*|lo_.*|loread|lowrite|be_lo.*|pg_current_logfile|pg_hba_file.*"
            r"|pg_ident_file.*|pg_show_all_file_settings|pg_tablespace_location|pg_config|pg_walfile.*",
        ),
        (
            "dynamic-sql",
            "it runs SQL or reads relations that it is told by text",
            r"query_to_xml.*|table_to_xml.*|cursor_to_xml.*|schema_to_xml.*|database_to_xml.*|ts_stat|ts_rewrite|dblink.*"
            r"|pg_get_expr_.*|pg_prepared_statement|pg_cursor|row_security_active.*",
        ),
        (
            "reads-statistics",
            "it shows what statistics hold of other people's data",
            r"pg_stat_.*|pg_stats_.*|pg_mcv_list_items|pg_dependencies.*|pg_ndistinct.*|pg_statio.*|pg_restore_.*|pg_clear_.*_stats",
        ),
        (
            "reads-sessions",
            "it shows or changes what sessions, settings or the server do",
            r"current_query|current_setting|set_config|pg_show_all_settings|pg_settings_get_flags|pg_lock_status|pg_locks"
            r"|pg_get_multixact.*|pg_logical_.*|pg_replication_.*|pg_get_replication_.*|pg_create_.*|pg_drop_.*|pg_copy_.*"
            r"|pg_show_replication_.*|pg_get_publication_tables|pg_get_shmem_.*|pg_get_backend_.*|pg_get_wal_.*|pg_wal_.*"
            r"|pg_prepared_xact|pg_get_aios|pg_available_wal_summaries|pg_hba.*|binary_upgrade_.*|pg_sequence_last_value"
            r"|pg_get_sequence_data|pg_listening_channels|pg_notification_queue_usage|pg_timezone_.*|pg_get_loaded_modules",
        ),
    )
)

# Volatile, and harmless: randomness, the clock, the size of things, what the server is and how partitions lie.
HARMLESS_VOLATILE = frozenset(
    """
    random random_normal gen_random_uuid uuidv4 uuidv7 clock_timestamp timeofday array_sample array_shuffle
    pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size pg_database_size pg_tablespace_size
    currval lastval pg_sequence_last_value pg_get_sequence_data pg_partition_tree pg_partition_ancestors
    pg_is_in_recovery pg_jit_available pg_collation_actual_version pg_database_collation_actual_version
    pg_get_wait_events pg_xact_status txid_status
    """.split()
)
# In a family by their name, and harmless: they compute, or show structure only.
APART = frozenset(
    """
    row_security_active pg_timezone_names pg_timezone_abbrevs_zone pg_timezone_abbrevs_abbrevs pg_wal_lsn_diff
    pg_tablespace_location pg_get_publication_tables pg_sequence_last_value pg_get_sequence_data
    """.split()
)
# What extensions that come with PostgreSQL make of nothing but chance.
RANDOM_OF_EXTENSIONS = frozenset(
    {("uuid-ossp", f"uuid_generate_v{n}") for n in ("1", "1mc", "4")}
    | {("pgcrypto", name) for name in ("gen_random_uuid", "gen_random_bytes", "gen_salt")}
)
# Harmless in itself, but it moves a sequence: a write.
WRITES = frozenset({"nextval"})

# Built in, harmless, and each call may give many rows.
SET_RETURNING = frozenset(
    """
    aclexplode generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text
    json_object_keys json_populate_recordset json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each
    jsonb_each_text jsonb_object_keys jsonb_path_query jsonb_path_query_tz jsonb_populate_recordset jsonb_to_recordset
    pg_available_extension_versions pg_available_extensions pg_event_trigger_ddl_commands
    pg_event_trigger_dropped_objects pg_extension_update_paths pg_get_catalog_foreign_keys pg_get_keywords
    pg_get_sequence_data pg_get_wait_events pg_options_to_table pg_partition_ancestors pg_partition_tree pg_snapshot_xip
    pg_tablespace_databases regexp_matches regexp_split_to_table string_to_table ts_debug ts_parse ts_token_type
    txid_snapshot_xip unnest
    """.split()
)

_INFORMATION = """
    administrable_role_authorizations attributes check_constraint_routine_usage collation_character_set_applicability
    column_column_usage column_udt_usage data_type_privileges domain_udt_usage foreign_data_wrappers foreign_servers
    foreign_tables role_column_grants role_routine_grants role_udt_grants role_usage_grants routine_column_usage
    routine_privileges routine_routine_usage routine_sequence_usage routine_table_usage sql_features
    sql_implementation_info sql_parts sql_sizing transforms triggered_update_columns udt_privileges user_defined_types
    view_routine_usage
    columns tables views schemata table_constraints key_column_usage constraint_column_usage constraint_table_usage
    referential_constraints check_constraints routines parameters sequences domains column_domain_usage element_types
    enabled_roles applicable_roles role_table_grants table_privileges column_privileges character_sets collations
    view_column_usage view_table_usage information_schema_catalog_name domain_constraints usage_privileges triggers
"""
_CATALOGUE = """
    pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extensions
    pg_available_extension_versions pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_largeobject_metadata
    pg_parameter_acl pg_publication_namespace pg_publication_tables pg_seclabels pg_shseclabel pg_statistic_ext
    pg_ts_config_map pg_wait_events pg_cast pg_class
    pg_collation pg_constraint pg_conversion pg_database pg_default_acl pg_depend pg_description pg_enum pg_event_trigger
    pg_extension pg_group pg_index pg_indexes pg_inherits pg_init_privs pg_language pg_matviews pg_namespace pg_opclass
    pg_operator pg_opfamily pg_partitioned_table pg_policies pg_policy pg_proc pg_publication pg_publication_rel pg_range
    pg_rewrite pg_roles pg_rules pg_seclabel pg_sequence pg_sequences pg_shdepend pg_shdescription pg_tables pg_tablespace
    pg_timezone_abbrevs pg_timezone_names pg_transform pg_trigger pg_ts_config pg_ts_dict pg_ts_parser pg_ts_template
    pg_type pg_user pg_views
"""
SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema"})
# Structure only: no row of a user's, no statistics, no activity, no secrets. All other system relations are closed.
OPEN_SYSTEM_RELATIONS = frozenset(
    {("pg_catalog", name) for name in _CATALOGUE.split()}
    | {("information_schema", name) for name in _INFORMATION.split()}
)


def is_computation(function: Function) -> bool:
    """Whether a function or aggregate that an extension brought only computes. One in C that is declared immutable reads
    no relation: those that run SQL from text (crosstab, xpath_table, dblink) are not, and only a superuser makes either.
    """
    own = function.schema != "pg_catalog"
    if own and function.language == "c" and (function.extension, function.name) in RANDOM_OF_EXTENSIONS:
        return True
    compiled = function.kind in "fa" and function.language == "c" and not function.security_definer
    return own and compiled and function.volatility is Volatility.IMMUTABLE


def danger_of(function: Function) -> tuple[str, str] | None:
    """A hazard code and the reason why a built-in function is closed, or None where it is harmless."""
    for code, why, pattern in FAMILIES if function.name not in APART else ():
        if pattern.match(function.name):
            return code, why
    harmless = function.volatility is not Volatility.VOLATILE or function.name in HARMLESS_VOLATILE | WRITES
    if harmless and function.kind != "p":
        return None
    return "side-effects", "it changes something outside the rows that it returns"
