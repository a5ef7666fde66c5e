"""All addresses. Each app lists its own pages; the REST API has one list."""

from django.urls import include, path

from gateway.health import healthz

handler500 = "gateway.web.errors.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("gateway.web.urls")),
    path("requests/", include("approvals.urls")),
    path("grants/", include("approvals.web.grant_urls")),
    path("absences/", include("approvals.web.absence_urls")),
    path("notifications/", include("approvals.web.notification_urls")),
    path("policy/", include("governance.urls")),
    path("classification/", include("governance.web.classification_urls")),
    path("ledger/", include("audit.urls")),
    path("accounts/", include("identity.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("gateway.api.urls")),
]
