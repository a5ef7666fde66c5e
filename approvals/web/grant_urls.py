"""Pages of grants, under /grants/."""

from django.urls import path

from approvals.web import grant_pages

urlpatterns = [
    path("", grant_pages.grant_list, name="grant-list"),
    path("elevation/", grant_pages.grant_elevation, name="grant-elevation"),
    path("break-glass/", grant_pages.grant_break_glass, name="grant-break-glass"),
    path("<uuid:grant_id>/", grant_pages.grant_detail, name="grant-detail"),
    path("<uuid:grant_id>/narrow/", grant_pages.grant_narrow, name="grant-narrow"),
    path("<uuid:grant_id>/revoke/", grant_pages.grant_revoke, name="grant-revoke"),
]
