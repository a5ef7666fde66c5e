from django.db import migrations

# As `manage.py createcachetable` would make it: what tries to sign in are counted in.
CREATE = """
CREATE TABLE identity_attempts (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX identity_attempts_expires ON identity_attempts (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE identity_attempts")]
