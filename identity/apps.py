from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"

    def ready(self) -> None:
        from identity import factor_events  # reads models: only once all apps are loaded

        factor_events.connect()
