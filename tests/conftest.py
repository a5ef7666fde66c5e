"""The ground the tests stand on. `tests/settings.py` starts the servers before Django is set up.

`control_db` (committed for real, emptied afterwards) is what most tests that need a database use; `target_database`
makes a governed database; `web_server`, `celery_worker` and `browser` are real processes.
"""

from hypothesis import settings

pytest_plugins = ["tests.fixtures.databases", "tests.fixtures.servers"]

# Machines that are shared are slow at times; a property is about what comes out, not when.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")
