from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"

    def ready(self) -> None:
        from gateway import receivers  # noqa: F401  connects the signal receivers
        from gateway.measuring import receivers as _measuring  # noqa: F401  connects the signal receivers
