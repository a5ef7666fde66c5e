"""REST calls on notification: preferences, webhooks."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
