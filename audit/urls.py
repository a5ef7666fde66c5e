"""Pages of the ledger, under /ledger/."""

from django.urls import include, path

urlpatterns = [
    path("", include("audit.web.entry_urls")),
    path("exports/", include("audit.web.export_urls")),
    path("reports/", include("audit.web.report_urls")),
    path("integrity/", include("audit.web.integrity_urls")),
    path("forwarders/", include("audit.web.forwarder_urls")),
]
