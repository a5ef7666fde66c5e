import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import approvals.states
import identity.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("governance", "0001_initial"),
        ("identity", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Request",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("requester", models.CharField(max_length=160)),
                ("sql", identity.fields.SealedTextField()),
                ("params", identity.fields.SealedJSONField()),
                ("normal", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("purpose", models.TextField(blank=True)),
                ("on_behalf_of", models.CharField(blank=True, max_length=200)),
                ("risk", models.PositiveSmallIntegerField()),
                ("risk_parts", models.JSONField(default=list)),
                ("facts", models.JSONField()),
                ("decision", models.JSONField()),
                ("required", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("approved", "approved"),
                            ("executing", "executing"),
                            ("executed", "executed"),
                            ("failed", "failed"),
                            ("unknown", "unknown"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn"),
                            ("expired", "expired"),
                            ("drifted", "drifted"),
                        ],
                        default=approvals.states.State["PENDING"],
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("xid", models.CharField(blank=True, max_length=32)),
                ("outcome", models.JSONField(blank=True, null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="identity.agent",
                    ),
                ),
                (
                    "datasource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="governance.datasource"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verdict", models.CharField(choices=[("approve", "approve"), ("reject", "reject")], max_length=8)),
                ("comment", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="approvals.request"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
            },
        ),
        migrations.AddIndex(
            model_name="request",
            index=models.Index(fields=["state", "-created_at"], name="request_by_state"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(fields=("request", "reviewer"), name="one_review_a_person"),
        ),
    ]
