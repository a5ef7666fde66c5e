"""REST calls on notification: what one was told, preferences, webhooks."""

from django.urls import path

from gateway.api import notification_views, webhook_views

urlpatterns = [
    path("notifications", notification_views.NotificationsView.as_view(), name="api-notifications"),
    path(
        "notifications/preferences", notification_views.PreferencesView.as_view(), name="api-notification-preferences"
    ),
    path("notifications/test", notification_views.TestView.as_view(), name="api-notification-test"),
    path("webhooks", webhook_views.WebhooksView.as_view(), name="api-webhooks"),
    path("webhooks/<str:name>", webhook_views.WebhookView.as_view(), name="api-webhook"),
    path("webhooks/<str:name>/test", webhook_views.WebhookTestView.as_view(), name="api-webhook-test"),
    path("webhooks/<str:name>/secret", webhook_views.WebhookSecretView.as_view(), name="api-webhook-secret"),
    path(
        "webhooks/<str:name>/secret/previous",
        webhook_views.WebhookPreviousSecretView.as_view(),
        name="api-webhook-previous-secret",
    ),
]
