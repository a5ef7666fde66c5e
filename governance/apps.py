from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "governance"

    def ready(self) -> None:
        from governance import exporting  # reads models: only once all apps are loaded

        exporting.connect()
