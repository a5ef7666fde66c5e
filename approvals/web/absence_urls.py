"""Pages of absences, under /absences/."""

from django.urls import path

from approvals.web import absence_pages

urlpatterns = [
    path("", absence_pages.absence_list, name="absences"),
    path("<uuid:absence_id>/end/", absence_pages.absence_end, name="absence-end"),
]
