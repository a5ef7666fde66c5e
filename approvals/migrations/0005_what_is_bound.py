from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0004_several_grants_a_query")]

    operations = [
        migrations.AddField(model_name="request", name="bound", field=models.JSONField(blank=True, default=dict)),
    ]
