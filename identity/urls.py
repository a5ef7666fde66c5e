"""Pages of who acts, under /accounts/, before allauth's own."""

from django.urls import path

from identity.factor_pages import show_factor

urlpatterns = [path("2fa/show/", show_factor, name="second-factor")]
