from django.db import migrations, models


class Migration(migrations.Migration):
    """Requests know the stage whose turn it is, and reviews the one in which they were given."""

    dependencies = [("approvals", "0002_impact_grants_undo_notification")]

    operations = [
        migrations.AddField("request", "stage", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField("review", "stage", models.PositiveSmallIntegerField(default=1)),
    ]
