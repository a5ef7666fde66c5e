"""Calls about classification, under `/api/v1/datasources/NAME/`."""

from __future__ import annotations

from django.urls import path

from gateway.api import classification_views as views

urlpatterns = [
    path("datasources/<str:name>/classifications", views.ClassificationsView.as_view(), name="api-classifications"),
    path("datasources/<str:name>/scan", views.ScanView.as_view(), name="api-scan"),
    path("datasources/<str:name>/proposals", views.ProposalsView.as_view(), name="api-proposals"),
    path("datasources/<str:name>/proposals/<int:proposal_id>", views.ProposalView.as_view(), name="api-proposal"),
]
