"""The settings of the tests: the product's own, on databases and Redis keys that belong to this run alone.

The embedded services of `var/test` are started by the first process of a run, before anything reads the settings. The
workers of the run find their addresses in the environment. Several runs may share the servers: names carry the run.
"""

from tests.fixtures import ground

ground.prepare()

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": f"test_{ground.run()}"}
# Pages served inside the test process need no collected files; servers that tests start use the product's own storage.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Changes would wait for leases to run out; tests of the lease set it.
LEASE_SECONDS = 0.0
# Hashing a password is slow on purpose; tests make many people. The product's own hasher can check these hashes.
PASSWORD_HASHERS = ["tests.fixtures.hashing.QuickArgon2"]
