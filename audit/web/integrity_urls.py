"""Checkpoints, witnesses, archives, erasures, forwarders."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
