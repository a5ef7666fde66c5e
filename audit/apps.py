from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit import recorders  # reads models: only once all apps are loaded

        recorders.connect()
