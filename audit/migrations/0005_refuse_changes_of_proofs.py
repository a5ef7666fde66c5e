"""What proves the log is append-only too; entries leave it only below the first one that the head keeps (P6).

Deleting an entry is refused unless it was moved to an archive first, deleting a payload unless its entry was or its key
is erased. Of a checkpoint nothing but its cosignatures may change, and those only grow.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_refuse_early_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.index < (SELECT first FROM audit_head WHERE id = 1) THEN
        RETURN OLD;
    END IF;
    IF TG_TABLE_NAME = 'audit_payload' THEN
        PERFORM FROM audit_subjectkey WHERE id = OLD.key AND erased_at IS NOT NULL;
        IF FOUND THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'DELETE on % is refused: the ledger is append-only, history cannot be rewritten', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a correction as a new entry.';
END $$;

DROP TRIGGER audit_entry_append_only ON audit_entry;
DROP TRIGGER audit_payload_append_only ON audit_payload;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_payload_append_only BEFORE UPDATE OR TRUNCATE ON audit_payload
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_stays BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_early_delete();
CREATE TRIGGER audit_payload_stays BEFORE DELETE ON audit_payload
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_early_delete();
CREATE TRIGGER audit_head_keeps_first BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.first < OLD.first) EXECUTE FUNCTION audit_refuse_change();

CREATE TRIGGER audit_tile_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_tile
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_stays BEFORE DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE ON audit_checkpoint
    FOR EACH ROW WHEN (
        NEW.size <> OLD.size OR NEW.root <> OLD.root OR NEW.note <> OLD.note OR NEW."time" <> OLD."time"
        OR NOT NEW.cosignatures @> OLD.cosignatures
    ) EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_subjectkey_stays BEFORE DELETE OR TRUNCATE ON audit_subjectkey
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_subjectkey_ends_once BEFORE UPDATE ON audit_subjectkey
    FOR EACH ROW WHEN (
        NEW.id <> OLD.id OR NEW.subject <> OLD.subject OR NEW.created_at <> OLD.created_at
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
        OR (OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at)
        OR (NEW.sealed IS DISTINCT FROM OLD.sealed AND (NEW.sealed IS NOT NULL OR NEW.erased_at IS NULL))
    ) EXECUTE FUNCTION audit_refuse_change();
"""

ALLOW = """
DROP TRIGGER audit_subjectkey_ends_once ON audit_subjectkey;
DROP TRIGGER audit_subjectkey_stays ON audit_subjectkey;
DROP TRIGGER audit_checkpoint_append_only ON audit_checkpoint;
DROP TRIGGER audit_checkpoint_stays ON audit_checkpoint;
DROP TRIGGER audit_tile_append_only ON audit_tile;
DROP TRIGGER audit_head_keeps_first ON audit_head;
DROP TRIGGER audit_payload_stays ON audit_payload;
DROP TRIGGER audit_entry_stays ON audit_entry;
DROP TRIGGER audit_payload_append_only ON audit_payload;
DROP TRIGGER audit_entry_append_only ON audit_entry;
DROP FUNCTION audit_refuse_early_delete();
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_payload_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_payload
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_part_search_from_the_log")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
