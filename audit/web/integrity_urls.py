"""Checkpoints, witnesses, archives, erasures, forwarders."""

from django.urls import path

from audit.web import integrity_pages

urlpatterns = [
    path("", integrity_pages.integrity, name="integrity"),
    path("publish/", integrity_pages.checkpoint_publish, name="integrity-publish"),
    path("keys/rotate/", integrity_pages.key_rotate, name="integrity-key-rotate"),
    path("witnesses/add/", integrity_pages.witness_add, name="integrity-witness-add"),
    path("witnesses/<str:name>/switch/", integrity_pages.witness_switch, name="integrity-witness-switch"),
    path("witnesses/<str:name>/remove/", integrity_pages.witness_remove, name="integrity-witness-remove"),
]
