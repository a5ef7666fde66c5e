"""The database itself refuses to change history, whoever asks: the application's role, its owner, a superuser (P6).

Statement triggers, so that a statement that meets no row is refused as well. Who may switch triggers off can still
change the tables; `manage.py ledger verify` finds that.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the ledger is append-only, history cannot be rewritten', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a correction as a new entry.';
END $$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_payload_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_payload
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_goes_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.size < OLD.size OR NEW.epoch < OLD.epoch OR NEW."time" < OLD."time")
    EXECUTE FUNCTION audit_refuse_change();
"""

ALLOW = """
DROP TRIGGER audit_head_goes_forward ON audit_head;
DROP TRIGGER audit_head_stays ON audit_head;
DROP TRIGGER audit_payload_append_only ON audit_payload;
DROP TRIGGER audit_entry_append_only ON audit_entry;
DROP FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_create_the_ledger")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
