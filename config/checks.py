"""System checks with stable ids: combinations of settings that would start, but must not run.

`manage.py check` shows them; `deploy/start` runs them before every process. `docs/settings.md` explains each id.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.utils import OperationalError

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRES = 14
LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}
MAKE_A_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
# What the ledger's durability rests on.
MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")


@register(Tags.security)
def check_keys(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    keys = settings.COUNTERSIGN_ENCRYPTION_KEYS
    if _is_weak(settings.SECRET_KEY):
        yield Error("COUNTERSIGN_SECRET_KEY can be guessed.", hint=f"Make one: {MAKE_A_KEY}", id="countersign.E001")
    if not keys or any(_is_weak(key) for key in keys):
        yield Error(
            "COUNTERSIGN_ENCRYPTION_KEYS is missing or can be guessed.",
            hint=f"Each key needs 32 or more random characters: {MAKE_A_KEY}",
            id="countersign.E002",
        )
    if settings.SECRET_KEY in keys:
        yield Error(
            "COUNTERSIGN_SECRET_KEY is also an encryption key.",
            hint="Use different values: one can then be changed, or leak, without the other.",
            id="countersign.E003",
        )


def _is_weak(key: str) -> bool:
    return len(key) < 32 or len(set(key)) < 10


@register(Tags.security)
def check_addresses(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    public = urlsplit(settings.PUBLIC_URL)
    outside = {host for host in [public.hostname, *settings.ALLOWED_HOSTS] if host not in LOOPBACK}
    if settings.DEBUG and outside:
        yield Error(
            f"COUNTERSIGN_DEBUG is on while the product answers as {', '.join(sorted(map(str, outside)))}.",
            hint="Debug pages show settings and statements. Turn it off, or answer on loopback only.",
            id="countersign.E004",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "COUNTERSIGN_ALLOWED_HOSTS holds '*'.",
            hint="List the host names by which the product is reached; '*' lets others forge links to it.",
            id="countersign.E005",
        )
    if public.scheme == "http" and public.hostname not in LOOPBACK:
        yield Error(
            f"COUNTERSIGN_PUBLIC_URL is {settings.PUBLIC_URL}: passwords and tokens would travel in the clear.",
            hint="Put TLS in front and use an https address. With a proxy, set COUNTERSIGN_BEHIND_PROXY=true too.",
            id="countersign.E006",
        )


@register()
def check_python(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if sys.version_info < OLDEST_PYTHON:
        yield Error(
            f"Python {sys.version.split()[0]} is too old.",
            hint="Countersign needs Python 3.11 or later.",
            id="countersign.E007",
        )


@register(Tags.security)
def check_redis(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", settings.REDIS_PREFIX):
        yield Error(
            f"COUNTERSIGN_REDIS_PREFIX is {settings.REDIS_PREFIX!r}.",
            hint="Use 1 to 60 letters, digits, dots, dashes or underscores; it keeps installations apart.",
            id="countersign.E008",
        )
    address = urlsplit(settings.REDIS_URL)
    if address.scheme == "redis" and address.hostname not in LOOPBACK and not address.password:
        yield Warning(
            "REDIS_URL has no password.",
            hint="Whoever can write to Redis can start tasks. Set a password, or use rediss:// with certificates.",
            id="countersign.W001",
        )


@register(Tags.database)
def check_database(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Asks the server, so it runs with `migrate` and `check --database default` only."""
    if "default" not in (databases or ()):
        return
    try:
        told = _ask_server()
    except OperationalError as error:
        yield Error(
            f"The control database does not answer: {str(error).splitlines()[0]}",
            hint="Check DATABASE_URL, and that the server runs.",
            id="countersign.E009",
        )
        return
    yield from _judge_server(told)


def _ask_server() -> dict[str, str]:
    names = ("server_version_num", "is_superuser", *MUST_BE_ON)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        return dict(zip(names, cursor.fetchone(), strict=True))


def _judge_server(told: dict[str, str]) -> Iterator[CheckMessage]:
    version = int(told["server_version_num"]) // 10_000
    if version < OLDEST_POSTGRES:
        yield Error(
            f"The control database is PostgreSQL {version}.",
            hint=f"Use PostgreSQL {OLDEST_POSTGRES} or later; 18 is what is tested.",
            id="countersign.E010",
        )
    off = [name for name in MUST_BE_ON if told[name] == "off"]
    if off:
        yield Error(
            f"The control database runs with {', '.join(off)} off: an entry could be lost after it was acknowledged.",
            hint="Turn it on in postgresql.conf.",
            id="countersign.E011",
        )
    if told["is_superuser"] == "on":
        yield Warning(
            "The product connects to the control database as a superuser, who can switch the ledger's triggers off.",
            hint="Use a role of its own that owns the database and is nothing else.",
            id="countersign.W002",
        )
