import datetime

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Payload",
            fields=[
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("nonce", models.BinaryField()),
                ("ciphertext", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("time", models.DateTimeField()),
                ("kind", models.TextField()),
                ("principal", models.TextField(null=True)),
                ("owner", models.TextField(null=True)),
                ("door", models.TextField(null=True)),
                ("datasource", models.TextField(null=True)),
                ("environment", models.TextField(null=True)),
                ("verdict", models.TextField(null=True)),
                ("risk", models.SmallIntegerField(null=True)),
                ("query", models.UUIDField(null=True)),
                ("request", models.UUIDField(null=True)),
                ("run", models.TextField(null=True)),
                ("fingerprint", models.TextField(null=True)),
                (
                    "relations",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                ("on_behalf_of", models.TextField(null=True)),
                ("actor", models.TextField(null=True)),
                ("header", models.BinaryField()),
                ("leaf", models.BinaryField()),
            ],
            options={
                "ordering": ["index"],
                "indexes": [
                    models.Index(fields=["time", "index"], name="entry_by_time"),
                    models.Index(
                        condition=models.Q(("principal__isnull", False)),
                        fields=["principal", "index"],
                        name="entry_by_principal",
                    ),
                    models.Index(
                        condition=models.Q(("datasource__isnull", False)),
                        fields=["datasource", "index"],
                        name="entry_by_datasource",
                    ),
                    models.Index(
                        condition=models.Q(("verdict__isnull", False)),
                        fields=["verdict", "index"],
                        name="entry_by_verdict",
                    ),
                    models.Index(
                        condition=models.Q(("query__isnull", False)), fields=["query", "index"], name="entry_by_query"
                    ),
                    models.Index(
                        condition=models.Q(("request__isnull", False)),
                        fields=["request", "index"],
                        name="entry_by_request",
                    ),
                    models.Index(
                        condition=models.Q(("run__isnull", False)), fields=["run", "index"], name="entry_by_run"
                    ),
                    models.Index(
                        condition=models.Q(("fingerprint__isnull", False)),
                        fields=["fingerprint", "index"],
                        name="entry_by_fingerprint",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("relations__isnull", False)), fields=["relations"], name="entry_by_relation"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("index__gte", 0)), name="entry_index_not_negative")
                ],
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(default=0)),
                ("frontier", models.BinaryField(default=b"")),
                ("epoch", models.BigIntegerField(default=0)),
                (
                    "time",
                    models.DateTimeField(default=datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="head_is_one_row")],
            },
        ),
    ]
