"""`/api/v1/`: one list. What is not in it answers with a problem document as well."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView

from gateway.api import (
    classification_urls,
    export_urls,
    grant_urls,
    ledger_urls,
    notification_urls,
    people_views,
    policy_views,
    request_urls,
    views,
)
from gateway.api.problems import MEDIA_TYPE


@csrf_exempt
def nowhere(_request: HttpRequest) -> JsonResponse:
    code, title = "not-found", "Not found"
    body = {"type": f"urn:countersign:problem:{code}", "title": title, "status": 404, "code": code}
    body["detail"] = "There is nothing at this address. GET /api/v1/schema lists what there is."
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)


urlpatterns = [
    path("queries", views.QueriesView.as_view(), name="api-queries"),
    path("queries/<uuid:query_id>", views.QueryView.as_view(), name="api-query"),
    path("queries/<uuid:query_id>/result", views.ResultView.as_view(), name="api-result"),
    path("queries/<uuid:query_id>/cancel", views.CancelView.as_view(), name="api-cancel"),
    path("check", views.CheckView.as_view(), name="api-check"),
    path("datasources", views.DataSourcesView.as_view(), name="api-datasources"),
    path("datasources/<str:name>/catalogue", views.CatalogueView.as_view(), name="api-catalogue"),
    *classification_urls.urlpatterns,
    path("requests", views.RequestsView.as_view(), name="api-requests"),
    path("requests/<uuid:request_id>", views.RequestView.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/reviews", views.ReviewsView.as_view(), name="api-reviews"),
    *request_urls.urlpatterns,
    *grant_urls.urlpatterns,
    *notification_urls.urlpatterns,
    path("audit/entries", views.EntriesView.as_view(), name="api-entries"),
    *ledger_urls.urlpatterns,
    *export_urls.urlpatterns,
    path("policy", policy_views.PolicyView.as_view(), name="api-policy"),
    path("policy/versions", policy_views.VersionsView.as_view(), name="api-policy-versions"),
    path("policy/versions/<int:version>", policy_views.VersionView.as_view(), name="api-policy-version"),
    path("policy/versions/<int:version>/changes", policy_views.ChangesView.as_view(), name="api-policy-changes"),
    path("policy/check", policy_views.CheckTextView.as_view(), name="api-policy-check"),
    path("policy/explain", policy_views.ExplainView.as_view(), name="api-policy-explain"),
    path("policy/replay", policy_views.ReplayView.as_view(), name="api-policy-replay"),
    path("policy/apply", policy_views.ApplyView.as_view(), name="api-policy-apply"),
    path("policy/proposals", policy_views.ProposalsView.as_view(), name="api-policy-proposals"),
    path("policy/proposals/<uuid:proposal_id>", policy_views.ProposalView.as_view(), name="api-policy-proposal"),
    path(
        "policy/proposals/<uuid:proposal_id>/reviews",
        policy_views.ProposalReviewsView.as_view(),
        name="api-policy-proposal-reviews",
    ),
    path("users/<str:name>/factors", people_views.FactorsView.as_view(), name="api-factors"),
    path("users/<str:name>/factors/reset", people_views.FactorResetView.as_view(), name="api-factor-reset"),
    path("schema", SpectacularAPIView.as_view(permission_classes=[]), name="api-schema"),
    re_path(r"^.*$", nowhere),
]
