"""Exports."""

from django.urls import path

from audit.web import export_pages

urlpatterns = [
    path("", export_pages.exports, name="exports"),
    path("new", export_pages.export_new, name="export-new"),
    path("<uuid:export_id>/file", export_pages.export_file, name="export-file"),
    path("<uuid:export_id>/cancel", export_pages.export_cancel, name="export-cancel"),
]
