from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Makes the project itself an app, so that its management commands (`demo`) and system checks are found."""

    name = "config"

    def ready(self) -> None:
        from config import (
            celery,  # noqa: F401  whoever publishes a task must know this project's broker
            checks,  # noqa: F401  registers the system checks
        )
