from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Makes the project itself an app, so that its management commands (`demo`) and system checks are found."""

    name = "config"
