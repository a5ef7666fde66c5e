"""Exports over REST."""

from django.urls import path

from gateway.api import export_views, report_views

urlpatterns = [
    path("audit/exports", export_views.ExportsView.as_view(), name="api-exports"),
    path("audit/exports/<uuid:export_id>", export_views.ExportView.as_view(), name="api-export"),
    path("audit/exports/<uuid:export_id>/file", export_views.ExportFileView.as_view(), name="api-export-file"),
    path("audit/reports", report_views.ReportsView.as_view(), name="api-reports"),
    path("audit/reports/<slug:name>", report_views.ReportView.as_view(), name="api-report"),
]
