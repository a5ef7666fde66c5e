"""Pages of notifications, under /notifications/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
