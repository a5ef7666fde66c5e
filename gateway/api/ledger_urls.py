"""The verifiable log over REST: checkpoint, proofs, tiles, keys."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
