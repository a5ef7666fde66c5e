from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "approvals"

    def ready(self) -> None:
        from approvals.grants import receivers as _grants  # noqa: F401  connects the signal receivers
        from approvals.impact import receivers as _impact  # noqa: F401  connects the signal receivers
        from approvals.notification import receivers  # noqa: F401  connects the signal receivers
        from approvals.undo import keeping  # noqa: F401  connects the signal receivers
