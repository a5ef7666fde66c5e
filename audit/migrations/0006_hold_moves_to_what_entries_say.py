"""Entries leave the log only where an archive and an entry say so, whoever asks (P6).

Without this, whoever may write the head could move its first entry and then delete everything below. Triggers look up
their tables where they were made: a temporary table of the same name must not be taken for one of them. The list of
archives and the keys of the log are append-only too; a key's end and the destruction of its private half are what may change.
"""

from django.db import migrations

REFUSE = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_refuse_change() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION audit_refuse_early_delete() SET search_path = %I, pg_temp', current_schema());
END $$;

CREATE FUNCTION audit_refuse_unsaid_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM audit_archive AS archive JOIN audit_entry AS entry ON entry.index = archive.entry
    WHERE archive.first = OLD.first AND archive."end" = NEW.first AND entry.kind = 'ledger.pruned'
      AND convert_from(entry.header, 'UTF8')::jsonb
          @> jsonb_build_object('first', OLD.first, 'end', NEW.first, 'sha256', archive.sha256);
    IF FOUND THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'moving the first entry to % is refused: the ledger is append-only, history cannot be rewritten',
        NEW.first USING ERRCODE = 'insufficient_privilege', HINT = 'Entries are moved by manage.py ledger archive.';
END $$;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_refuse_unsaid_move() SET search_path = %I, pg_temp', current_schema());
END $$;
CREATE TRIGGER audit_head_moves_as_said BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.first > OLD.first) EXECUTE FUNCTION audit_refuse_unsaid_move();

CREATE TRIGGER audit_archive_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archive
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_logkey_stays BEFORE DELETE OR TRUNCATE ON audit_logkey
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_logkey_ends_once BEFORE UPDATE ON audit_logkey
    FOR EACH ROW WHEN (
        NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.public <> OLD.public OR NEW.created_at <> OLD.created_at
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
    ) EXECUTE FUNCTION audit_refuse_change();
"""

ALLOW = """
DROP TRIGGER audit_logkey_ends_once ON audit_logkey;
DROP TRIGGER audit_logkey_stays ON audit_logkey;
DROP TRIGGER audit_archive_append_only ON audit_archive;
DROP TRIGGER audit_head_moves_as_said ON audit_head;
DROP FUNCTION audit_refuse_unsaid_move();
ALTER FUNCTION audit_refuse_early_delete() RESET search_path;
ALTER FUNCTION audit_refuse_change() RESET search_path;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_refuse_changes_of_proofs")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
