"""Pages of grants, under /grants/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
