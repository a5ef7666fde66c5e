"""Pages of requests, under /requests/."""

from django.urls import path

from approvals.web import inbox_live, inbox_pages, reject_pages, request_pages

urlpatterns = [
    path("", inbox_pages.request_list, name="request-list"),
    path("live/", inbox_live.request_live_list, name="requests-live"),
    path("reject/", reject_pages.requests_reject, name="requests-reject"),
    path("<uuid:request_id>/", request_pages.request_detail, name="request-detail"),
    path("<uuid:request_id>/live/", request_pages.request_live, name="request-live"),
    path("<uuid:request_id>/review/", request_pages.request_review, name="request-review"),
    path("<uuid:request_id>/withdraw/", request_pages.request_withdraw, name="request-withdraw"),
    path("<uuid:request_id>/schedule/", request_pages.request_schedule, name="request-schedule"),
]
