from tests.gateway.conftest import cast, shop

__all__ = ["cast", "shop"]
