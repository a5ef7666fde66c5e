"""Pages of classification, under /classification/."""

from django.urls import path

from governance.web import classification_pages as pages

urlpatterns = [
    path("", pages.classification, name="classification"),
    path("<str:name>/", pages.classification_columns, name="classification-columns"),
    path("<str:name>/proposals/", pages.classification_proposals, name="classification-proposals"),
    path("<str:name>/proposals/decide/", pages.classification_decide, name="classification-decide"),
    path("<str:name>/scan/", pages.classification_scan, name="classification-scan"),
    path("<str:name>/scan/now/", pages.classification_scan_now, name="classification-scan-now"),
    path("<str:name>/add/", pages.classification_add, name="classification-add"),
    path("<str:name>/remove/", pages.classification_remove, name="classification-remove"),
]
