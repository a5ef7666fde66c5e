"""Reports."""

from django.urls import path

from audit.web import report_pages

urlpatterns = [
    path("", report_pages.reports, name="ledger-reports"),
    path("<slug:name>/", report_pages.report, name="ledger-report"),
    path("<slug:name>/pdf", report_pages.report_pdf, name="ledger-report-pdf"),
]
