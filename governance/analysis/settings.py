"""Which settings of a session may be shown and set without escaping governance. Pure.

Both tables list what is harmless; whatever is not in them is not (PostgreSQL 18 documentation, chapter 19). A setting that
the analysis, the masks or the driver rely on may only have the value that they rely on: another time zone would move the
year of a date, another string syntax the end of a constant. Toggles of the planner are left out on purpose: they choose
the order in which rows come, and an index on a masked column has the order of what is masked away. So are costs in memory,
durability, logging, and every setting with a dot, which belongs to an extension, an application or the masks themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

ON = frozenset({"on", "true", "t", "yes", "y", "1"})
OFF = frozenset({"off", "false", "f", "no", "n", "0"})
ANY: frozenset[str] = frozenset()
TRANSACTION_LEVELS = frozenset({"serializable", "repeatable read", "read committed", "read uncommitted"})

# Value by value, in lower case; ANY where it does not matter. Time-outs: the driver sets its own before each statement.
SETTABLE: dict[str, frozenset[str]] = {
    "application_name": ANY,
    "extra_float_digits": ANY,
    "statement_timeout": ANY,
    "lock_timeout": ANY,
    "idle_in_transaction_session_timeout": ANY,
    "idle_session_timeout": ANY,
    "transaction_timeout": ANY,
    "client_min_messages": frozenset({"notice", "warning", "error"}),  # below, the server's own log would come along
    "client_encoding": frozenset({"utf8", "utf-8", "unicode"}),
    "standard_conforming_strings": ON,
    "transform_null_equals": OFF,
    "timezone": frozenset({"utc", "etc/utc", "uct", "zulu"}),
    "datestyle": frozenset({"iso", "iso, mdy", "iso, dmy", "iso, ymd", "iso,mdy", "iso,dmy", "iso,ymd"}),
    "intervalstyle": frozenset({"iso_8601", "postgres"}),
    "bytea_output": frozenset({"hex"}),
    "row_security": ON | OFF,  # off makes a read fail that row security would have narrowed
    "synchronize_seqscans": ON | OFF,
    "quote_all_identifiers": ON | OFF,
    "escape_string_warning": ON | OFF,
    "check_function_bodies": ON | OFF,
    "xmloption": frozenset({"content", "document"}),
    "default_table_access_method": frozenset({"heap"}),
    "default_tablespace": frozenset({""}),
    "restrict_nonsystem_relation_kind": ANY,  # names what may not be read
    "default_transaction_read_only": ON,
    "transaction_read_only": ON,
    "default_transaction_isolation": TRANSACTION_LEVELS,
    "transaction_isolation": TRANSACTION_LEVELS,
    "default_transaction_deferrable": ON | OFF,
    "transaction_deferrable": ON | OFF,
}

# What statements mean, what masks hold, and the key of pseudonyms follow from these: no policy can open them.
RELIED_ON = frozenset(
    """
    all backslash_quote bytea_output client_encoding datestyle intervalstyle search_path standard_conforming_strings
    timezone transform_null_equals
    """.split()
)
OWN_PREFIX = "countersign."

# How the session reads, prints and waits, and what the server can hold: nothing of where it keeps what, or for whom.
SHOWABLE = frozenset(SETTABLE) | frozenset(
    """
    array_nulls backslash_quote block_size constraint_exclusion data_checksums default_text_search_config
    default_transaction_deferrable debug_assertions geqo in_hot_standby integer_datetimes is_superuser jit lc_collate
    lc_ctype lc_messages lc_monetary lc_numeric lc_time max_connections max_function_args max_identifier_length
    max_index_keys max_prepared_transactions password_encryption plan_cache_mode role scram_iterations search_path
    segment_size server_encoding server_version server_version_num session_authorization session_replication_role
    standard_conforming_strings synchronous_commit temp_buffers temp_tablespaces timezone_abbreviations wal_level
    work_mem xmlbinary
    """.split()
)


def harmless_to_show(name: str) -> bool:
    """Of `SHOW name` and `current_setting('name')`."""
    return name.lower() in SHOWABLE


def harmless_to_set(name: str, value: str | None) -> bool:
    """Of `SET name = value` and `set_config('name', 'value', …)`; None sets back what the session began with. Never true of
    `search_path`: what follows would be resolved differently, and only a whole text can be (see session.py)."""
    allowed = SETTABLE.get(name.lower())
    if allowed is None:
        return False
    return value is None or allowed is ANY or value.strip().lower() in allowed


def is_relied_on(name: str) -> bool:
    """Whether changing it, or being shown it where that is not harmless, is refused whatever the policies say."""
    return name.lower() in RELIED_ON or name.lower().startswith(OWN_PREFIX)


def schemas_to_search(schemas: Sequence[str], known: frozenset[str]) -> tuple[str, ...] | None:
    """The path that `SET search_path` leads to, or None where it is not certain. pg_catalog always comes first, so it may be
    named nowhere else; `$user` depends on who is connected."""
    path = [name for name in schemas if name]
    if path and path[0] == "pg_catalog":
        path = path[1:]
    return tuple(path) if all(name in known or name == "pg_temp" for name in path) else None
