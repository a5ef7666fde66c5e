"""REST calls on grants: list, cut down, revoke, elevate, break glass."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
