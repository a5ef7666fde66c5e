"""REST calls on grants: list, look, cut down, revoke; ask to be elevated; break the glass."""

from django.urls import path

from gateway.api import grant_views

urlpatterns = [
    path("grants", grant_views.GrantsView.as_view(), name="api-grants"),
    path("grants/<uuid:grant_id>", grant_views.GrantView.as_view(), name="api-grant"),
    path("grants/<uuid:grant_id>/narrow", grant_views.GrantNarrowView.as_view(), name="api-grant-narrow"),
    path("grants/<uuid:grant_id>/revoke", grant_views.GrantRevokeView.as_view(), name="api-grant-revoke"),
    path("elevations", grant_views.ElevationsView.as_view(), name="api-elevations"),
    path("elevations/<uuid:request_id>", grant_views.ElevationView.as_view(), name="api-elevation"),
    path("break-glass", grant_views.BreakGlassView.as_view(), name="api-break-glass"),
]
