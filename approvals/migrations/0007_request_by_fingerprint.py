from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform


class Migration(migrations.Migration):
    """Earlier requests for the same statement are found by its fingerprint."""

    dependencies = [("approvals", "0006_orders_of_lists")]

    operations = [
        migrations.AddIndex(
            "request",
            models.Index(
                KeyTextTransform("fingerprint", "facts"),
                models.F("created_at").desc(),
                name="request_by_fingerprint",
            ),
        )
    ]
