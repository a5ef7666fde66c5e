from django.db import migrations, models


class Migration(migrations.Migration):
    """An index for each order in which requests are listed, and one of the few that wait."""

    dependencies = [("approvals", "0005_what_is_bound")]

    operations = [
        migrations.AddIndex("request", models.Index(name="request_newest", fields=["-created_at", "-id"])),
        migrations.AddIndex("request", models.Index(name="request_riskiest", fields=["-risk", "expires_at", "id"])),
        migrations.AddIndex("request", models.Index(name="request_expiring", fields=["expires_at", "id"])),
        migrations.AddIndex(
            "request",
            models.Index(name="request_waiting", fields=["expires_at", "id"], condition=models.Q(state="pending")),
        ),
    ]
