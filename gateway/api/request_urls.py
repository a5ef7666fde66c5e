"""REST calls on requests beyond the contract's: edit, withdraw, schedule, absences."""

from django.urls import path

from gateway.api import absence_views, request_views, undo_views

urlpatterns = [
    path("requests/<uuid:request_id>/edits", request_views.RequestEditsView.as_view(), name="api-request-edits"),
    path("requests/<uuid:request_id>/withdraw", request_views.WithdrawView.as_view(), name="api-request-withdraw"),
    path("requests/<uuid:request_id>/schedule", request_views.ScheduleView.as_view(), name="api-request-schedule"),
    path("requests/<uuid:request_id>/revert", undo_views.RevertView.as_view(), name="api-request-revert"),
    path("queries/<uuid:query_id>/edits", request_views.QueryEditsView.as_view(), name="api-query-edits"),
    path("queries/<uuid:query_id>/schedule", request_views.QueryScheduleView.as_view(), name="api-query-schedule"),
    path("absences", absence_views.AbsencesView.as_view(), name="api-absences"),
    path("absences/<uuid:absence_id>/end", absence_views.AbsenceEndView.as_view(), name="api-absence-end"),
]
