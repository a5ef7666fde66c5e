"""The head of the empty log. Its row is never deleted; writers lock it, so that there is one order."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def insert_head(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("audit", "Head").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_refuse_changes_of_history")]

    # Undoing this keeps the row: it would be refused, and says nothing without the tables that 0001 drops.
    operations = [migrations.RunPython(insert_head, migrations.RunPython.noop)]
