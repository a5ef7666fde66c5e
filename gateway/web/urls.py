"""Pages of the gateway, from the root on."""

from django.urls import path

from gateway.web import console, dashboard, edit_pages, patterns, query_pages, undo_pages

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("queries/", query_pages.query_list, name="query-list"),
    path("queries/<uuid:query_id>/", query_pages.query_detail, name="query-detail"),
    path("queries/<uuid:query_id>/cancel/", query_pages.query_cancel, name="query-cancel"),
    path("requests/<uuid:request_id>/edit/", edit_pages.request_edit, name="request-edit"),
    path("requests/<uuid:request_id>/revert/", undo_pages.request_revert, name="request-revert"),
    path("run/", console.run_statement, name="run-statement"),
    path("patterns/", patterns.patterns, name="patterns"),
]
