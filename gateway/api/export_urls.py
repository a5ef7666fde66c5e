"""Exports over REST."""

from django.urls import path

from gateway.api import export_views

urlpatterns = [
    path("audit/exports", export_views.ExportsView.as_view(), name="api-exports"),
    path("audit/exports/<uuid:export_id>", export_views.ExportView.as_view(), name="api-export"),
    path("audit/exports/<uuid:export_id>/file", export_views.ExportFileView.as_view(), name="api-export-file"),
]
