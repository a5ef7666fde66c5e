"""The patterns page: every component of the design system in every state, on invented values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.search import Bucket
from gateway.web import words
from gateway.web.charts import verdict_chart
from governance.web.timeline import Seats, Step

STATEMENT = """-- Close the accounts that nobody has used for two years
UPDATE customers AS c
SET plan = 'closed', closed_at = now()
WHERE c.last_seen < $1
  AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id);
DELETE FROM sessions;"""
HOSTILE = "SELECT '</code><script>alert(1)</script>' AS \"x\" \u202e -- \u202c\n, '\u200b' FROM t"


class ExampleForm(forms.Form):
    name = forms.CharField(help_text="Lower-case letters, digits and dashes.")
    environment = forms.ChoiceField(choices=[("prod", "production"), ("dev", "development")])
    comment = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    locked = forms.CharField(disabled=True, initial="cannot be changed", required=False)


@login_required
@require_GET
def patterns(http: HttpRequest) -> HttpResponse:
    now = timezone.now()
    start = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    counts = [Bucket(start + timedelta(minutes=n), n * 7 % 23, n * 3 % 4, n % 9 == 0) for n in range(60)]
    hazards = [
        {
            "code": "delete-without-where",
            "message": "A DELETE without WHERE empties the table.",
            "place": STATEMENT.index("DELETE"),
        }
    ]
    context = {
        "verdicts": list(words.VERDICTS),
        "states": list(words.STATES),
        "tones": ["info", "success", "warning", "error"],
        "connections": ["live", "reconnecting", "offline", "static"],
        "statement": STATEMENT,
        "hostile": HOSTILE,
        "hazards": hazards,
        "facts": {
            "kinds": ["read", "write"],
            "by_key": True,
            "relations": [{"schema": "public", "name": "customers", "use": "update"}],
            "functions": [{"schema": "pg_catalog", "name": "now"}],
        },
        "masks": [
            {"schema": "public", "relation": "customers", "column": "email", "data_class": "email", "mask": "partial"}
        ],
        "now": now,
        "soon": now + timedelta(hours=3, minutes=12),
        "scores": [4, 35, 78, 100, None],
        "form": ExampleForm(),
        "wrong": ExampleForm({"name": "", "environment": "mars", "comment": "…"}, auto_id="wrong_%s"),
        "seats": [Seats("dba", 2, 1), Seats("security", 1, 1), Seats("finance", 1, 0)],
        "steps": [
            Step("Asked", "dot", at=now, by="agent:analyst-bot"),
            Step("Approved", "allow", "good", now, "user:rita", "The backup is from this morning."),
            Step("Running", "play", "now"),
            Step("Rejected", "deny", "bad", now, "user:dora", "Not on a Friday."),
        ],
        "chart": verdict_chart(counts, timedelta(minutes=1)),
        "swatches": ["allow", "review", "deny", "accent", "neutral", "sunken"],
        "leaf": "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    return render(http, "web/patterns.html", context)
