"""Finding entries, and looking at one."""

from django.urls import path

from audit.web import entry_pages, one_entry, search_pages

urlpatterns = [
    path("", entry_pages.ledger, name="ledger"),
    path("searches/", search_pages.saved_searches, name="saved-searches"),
    path("searches/save/", search_pages.save, name="saved-search-save"),
    path("searches/<int:search_id>/", search_pages.change, name="saved-search-change"),
    path("<int:index>/", one_entry.ledger_entry, name="ledger-entry"),
    path("<int:index>/payload/", one_entry.ledger_payload, name="ledger-payload"),
    path("<int:index>/proof.json", one_entry.ledger_proof, name="ledger-proof"),
]
