import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import identity.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DataSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        max_length=63,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "A name is 1 to 63 lower-case letters, digits, dashes or underscores, and starts with a letter or digit.",
                            )
                        ],
                    ),
                ),
                ("engine", models.CharField(max_length=20)),
                (
                    "environment",
                    models.CharField(
                        choices=[("dev", "development"), ("staging", "staging"), ("prod", "production")], max_length=10
                    ),
                ),
                ("dsn", identity.fields.SealedTextField()),
                ("address", models.CharField(max_length=300)),
                ("search_path", models.JSONField(default=list)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "max_rows",
                    models.PositiveIntegerField(
                        default=10000, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "max_bytes",
                    models.PositiveIntegerField(
                        default=16777216, validators=[django.core.validators.MinValueValidator(1024)]
                    ),
                ),
                (
                    "statement_timeout_ms",
                    models.PositiveIntegerField(
                        default=30000, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "lock_timeout_ms",
                    models.PositiveIntegerField(default=3000, validators=[django.core.validators.MinValueValidator(1)]),
                ),
                (
                    "concurrency",
                    models.PositiveIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(500),
                        ],
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="PolicySet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(unique=True)),
                ("text", models.TextField()),
                ("author", models.CharField(max_length=150)),
                ("comment", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("is_active", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)), fields=("is_active",), name="one_active_policy_set"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Classification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("schema", models.CharField(max_length=63)),
                ("relation", models.CharField(max_length=63)),
                ("column", models.CharField(max_length=63)),
                ("path", models.CharField(blank=True, max_length=300)),
                ("data_class", models.CharField(max_length=40)),
                ("created_by", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "datasource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="classifications",
                        to="governance.datasource",
                    ),
                ),
            ],
            options={
                "ordering": ["schema", "relation", "column", "path"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("datasource", "schema", "relation", "column", "path"), name="one_class_a_column"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CatalogueSnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("taken_at", models.DateTimeField(auto_now_add=True)),
                ("digest", models.CharField(max_length=64)),
                ("content", models.JSONField()),
                (
                    "datasource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="catalogues",
                        to="governance.datasource",
                    ),
                ),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [models.UniqueConstraint(fields=("datasource", "version"), name="catalogue_version")],
            },
        ),
    ]
