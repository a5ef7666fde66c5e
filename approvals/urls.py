"""Pages of requests, under /requests/."""

from django.urls import path

from approvals import views

urlpatterns = [
    path("", views.request_list, name="request-list"),
    path("<uuid:request_id>/", views.request_detail, name="request-detail"),
    path("<uuid:request_id>/live/", views.request_live, name="request-live"),
    path("<uuid:request_id>/review/", views.request_review, name="request-review"),
    path("<uuid:request_id>/withdraw/", views.request_withdraw, name="request-withdraw"),
]
