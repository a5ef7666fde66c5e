"""Checkpoints, verification, witnesses, archives, erasures."""

from django.urls import path

from audit.web import integrity_pages, integrity_verifying

urlpatterns = [
    path("", integrity_pages.integrity, name="integrity"),
    path("publish/", integrity_pages.checkpoint_publish, name="integrity-publish"),
    path("verify/", integrity_verifying.verify_now, name="integrity-verify"),
    path("verification/", integrity_verifying.verification, name="integrity-verification"),
    path("keys/rotate/", integrity_pages.key_rotate, name="integrity-key-rotate"),
    path("witnesses/add/", integrity_pages.witness_add, name="integrity-witness-add"),
    path("witnesses/<str:name>/switch/", integrity_pages.witness_switch, name="integrity-witness-switch"),
    path("witnesses/<str:name>/remove/", integrity_pages.witness_remove, name="integrity-witness-remove"),
]
