"""Pages of notifications, under /notifications/."""

from django.urls import path

from approvals.web import notification_pages, notification_webhook_pages

urlpatterns = [
    path("", notification_pages.notifications, name="notifications"),
    path("preferences/", notification_pages.notification_preferences, name="notification-preferences"),
    path("test/", notification_pages.notification_test, name="notification-test"),
    path("webhooks/", notification_webhook_pages.webhook_list, name="webhook-list"),
    path("webhooks/add/", notification_webhook_pages.webhook_add, name="webhook-add"),
    path("webhooks/<str:name>/", notification_webhook_pages.webhook_detail, name="webhook-detail"),
    path("webhooks/<str:name>/change/", notification_webhook_pages.webhook_change, name="webhook-change"),
    path("webhooks/<str:name>/switch/", notification_webhook_pages.webhook_switch, name="webhook-switch"),
    path("webhooks/<str:name>/secret/", notification_webhook_pages.webhook_secret, name="webhook-secret"),
    path("webhooks/<str:name>/test/", notification_webhook_pages.webhook_test, name="webhook-test"),
    path("webhooks/<str:name>/remove/", notification_webhook_pages.webhook_remove, name="webhook-remove"),
]
