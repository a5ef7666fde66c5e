"""Pages of policies: read, compare, edit, test, replay, activate."""
