"""REST calls on requests beyond the contract's: edit, withdraw, schedule, absences."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
