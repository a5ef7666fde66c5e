"""What a data source contains: `model` (pure values), `read` (from pg_catalog), `store` (versions in the database)."""
