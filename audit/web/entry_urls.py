"""Finding entries."""

from django.urls import path

from audit.web import entry_pages

urlpatterns = [
    path("", entry_pages.ledger, name="ledger"),
    path("<int:index>/", entry_pages.ledger_entry, name="ledger-entry"),
]
