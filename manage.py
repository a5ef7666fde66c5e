#!/usr/bin/env python
"""Management commands. Without DATABASE_URL and REDIS_URL they run on the embedded services (config/services.py)."""

import os
import sys

from config import services


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    services.ensure_for(sys.argv[1:])
    from django.core.management import execute_from_command_line  # after ensure_for: it may read the settings

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
