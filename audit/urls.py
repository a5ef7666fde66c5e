"""Pages of the ledger, under /ledger/."""

from django.urls import path

from audit import views

urlpatterns = [
    path("", views.ledger, name="ledger"),
    path("<int:index>/", views.ledger_entry, name="ledger-entry"),
]
