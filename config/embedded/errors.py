class ServiceFailed(Exception):
    """An embedded service could not be started or used. The message says what, where and what to do next."""
