from django.db import migrations, models


class Migration(migrations.Migration):
    """A query may run under several grants (an elevation, and one that a review gave), and uses each once."""

    dependencies = [("approvals", "0003_stages")]

    operations = [
        migrations.AlterField("grantuse", "query", models.UUIDField(db_index=True)),
        migrations.AddConstraint(
            "grantuse", models.UniqueConstraint(fields=["grant", "query"], name="a_query_uses_a_grant_once")
        ),
    ]
