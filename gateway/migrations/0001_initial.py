import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import identity.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("approvals", "0001_initial"),
        ("governance", "0001_initial"),
        ("identity", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Query",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("requester", models.CharField(max_length=160)),
                ("credential", models.UUIDField(blank=True, null=True)),
                (
                    "door",
                    models.CharField(
                        choices=[("rest", "REST"), ("mcp", "MCP"), ("wire", "PostgreSQL wire"), ("web", "browser")],
                        max_length=4,
                    ),
                ),
                ("sql", identity.fields.SealedTextField()),
                ("params", identity.fields.SealedJSONField()),
                ("normal", models.TextField(blank=True)),
                ("fingerprint", models.CharField(blank=True, max_length=32)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("purpose", models.TextField(blank=True)),
                ("on_behalf_of", models.CharField(blank=True, max_length=200)),
                ("run", models.CharField(blank=True, max_length=200)),
                ("step", models.CharField(blank=True, max_length=200)),
                ("model", models.CharField(blank=True, max_length=200)),
                ("traceparent", models.CharField(blank=True, max_length=55)),
                ("idempotency_key", models.CharField(blank=True, max_length=200, null=True)),
                ("idempotency_digest", models.CharField(blank=True, max_length=64)),
                ("max_rows", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("running", "running"),
                            ("parked", "parked"),
                            ("executed", "executed"),
                            ("failed", "failed"),
                            ("denied", "denied"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn"),
                            ("expired", "expired"),
                            ("drifted", "drifted"),
                            ("cancelled", "cancelled"),
                            ("unknown", "unknown"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                ("verdict", models.CharField(blank=True, max_length=6)),
                ("risk", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("facts", models.JSONField(blank=True, null=True)),
                ("decision", models.JSONField(blank=True, null=True)),
                ("problem", models.JSONField(blank=True, null=True)),
                ("row_count", models.BigIntegerField(blank=True, null=True)),
                ("duration_ms", models.FloatField(blank=True, null=True)),
                ("ledger_index", models.BigIntegerField(blank=True, null=True)),
                ("ledger_leaf", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="queries",
                        to="identity.agent",
                    ),
                ),
                (
                    "datasource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="queries", to="governance.datasource"
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="query",
                        to="approvals.request",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="queries",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "queries",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Result",
            fields=[
                (
                    "query",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="result",
                        serialize=False,
                        to="gateway.query",
                    ),
                ),
                ("content", identity.fields.SealedJSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="query",
            index=models.Index(fields=["agent", "-created_at"], name="query_by_agent"),
        ),
        migrations.AddIndex(
            model_name="query",
            index=models.Index(fields=["user", "-created_at"], name="query_by_user"),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agent__isnull", True), ("user__isnull", False)),
                    models.Q(("agent__isnull", False), ("user__isnull", True)),
                    _connector="OR",
                ),
                name="query_has_one_principal",
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("requester", "idempotency_key"),
                name="idempotency_key_a_principal",
            ),
        ),
    ]
