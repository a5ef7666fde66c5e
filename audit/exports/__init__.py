"""Entries carried out as files: CSV, NDJSON, Parquet, OCSF."""
