"""Where entries are sent on to."""

from django.urls import path

from audit.web import forwarder_pages

urlpatterns = [
    path("", forwarder_pages.forwarders, name="forwarders"),
    path("add/", forwarder_pages.forwarder_add, name="forwarder-add"),
    path("<str:name>/switch/", forwarder_pages.forwarder_switch, name="forwarder-switch"),
    path("<str:name>/secret/", forwarder_pages.forwarder_secret, name="forwarder-secret"),
    path("<str:name>/remove/", forwarder_pages.forwarder_remove, name="forwarder-remove"),
]
