"""Pages of absences, under /absences/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
