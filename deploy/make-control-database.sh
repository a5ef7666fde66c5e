#!/bin/sh
# Run once by the postgres image, when its volume is empty: a role that owns the control database and is nothing else.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --set password="$COUNTERSIGN_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE countersign LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE countersign OWNER countersign;
REVOKE ALL ON DATABASE countersign, postgres FROM PUBLIC;
SQL
