"""All settings, top to bottom, from the environment.

Every variable can also be given as a file: `NAME_FILE=/run/secrets/name` (Docker and Kubernetes secrets).
Without `DATABASE_URL` the product runs on its embedded PostgreSQL and Redis under `var/`, and makes its own keys
there. With it, nothing is made up: a missing key stops the start. `docs/settings.md` lists every variable.
"""

import contextlib
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv, validate

BASE_DIR = Path(__file__).resolve().parent.parent
env = FileAwareEnv()

VAR_DIR = Path(env.str("COUNTERSIGN_VAR", str(BASE_DIR / "var"))).resolve()

# With an own database the operator runs the services; without, config.services has started them and has put their
# addresses into the environment, with COUNTERSIGN_EMBEDDED=true. The fall-backs answer nowhere: they let tools read
# the settings with nothing running.
EMBEDDED = env.bool("COUNTERSIGN_EMBEDDED", not env.str("DATABASE_URL", ""))
DATABASE_URL = env.str("DATABASE_URL", "") or "postgresql://countersign@127.0.0.1:1/countersign"
REDIS_URL = env.str("REDIS_URL", "") or "redis://127.0.0.1:1/0"


def made_once(name: str, make: str) -> str:
    """A key of the embedded installation: made on first use, kept under `var/secrets/`, readable by its owner only."""
    path = VAR_DIR / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(make)
        # A hard link fails if another process was first: both then read the same key.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()


def required_key(variable: str, file_name: str) -> str:
    value = env.str(variable, "")
    if not value and EMBEDDED:
        value = made_once(file_name, secrets.token_urlsafe(48))
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"{variable} must be set to at least 32 random characters when DATABASE_URL is set"
            f" (or {variable}_FILE to a file that holds them): python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return value


# --- Core ---------------------------------------------------------------------------------------------------------

DEBUG = env.bool("COUNTERSIGN_DEBUG", False)
SECRET_KEY = required_key("COUNTERSIGN_SECRET_KEY", "secret-key")
# The first key seals; all of them unseal, so a key is rotated by putting a new one in front. Comma-separated.
COUNTERSIGN_ENCRYPTION_KEYS = [
    key.strip() for key in required_key("COUNTERSIGN_ENCRYPTION_KEYS", "encryption-key").split(",") if key.strip()
]
PUBLIC_URL = env.str("COUNTERSIGN_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
if urlsplit(PUBLIC_URL).scheme not in ("http", "https"):
    raise ImproperlyConfigured(f"COUNTERSIGN_PUBLIC_URL must be an http or https address, not {PUBLIC_URL!r}")
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list("COUNTERSIGN_ALLOWED_HOSTS", ["127.0.0.1", "localhost", str(urlsplit(PUBLIC_URL).hostname)])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "config",
    "gateway",
    "approvals",
    "governance",
    "audit",
    "identity",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Control database ---------------------------------------------------------------------------------------------

_database = urlsplit(DATABASE_URL)
if _database.scheme not in ("postgres", "postgresql") or not _database.path.strip("/"):
    raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/database")
DATABASES = {
    "default": {
        **env.dj_db_url("DATABASE_URL", DATABASE_URL),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # A request that cannot get a connection in three seconds is refused with a reason; it never hangs.
            # It gives up an attempt as soon: the pool waits ever longer between attempts, and would go on refusing for
            # that long after the database is back; the next request makes a new one.
            "pool": {
                "min_size": 1,
                "max_size": env.int("COUNTERSIGN_CONTROL_POOL", 20),
                "timeout": 3,
                "reconnect_timeout": 3,
            },
            "connect_timeout": 3,
            "application_name": "countersign",
        },
    }
}

# --- Ledger -------------------------------------------------------------------------------------------------------

# The log is called so from its first key on; a later change of this is without effect (audit/transparency/keys.py).
COUNTERSIGN_LOG_NAME = env.str("COUNTERSIGN_LOG_NAME", "") or f"{urlsplit(PUBLIC_URL).hostname}/ledger"
if "+" in COUNTERSIGN_LOG_NAME or any(one.isspace() or not one.isprintable() for one in COUNTERSIGN_LOG_NAME):
    raise ImproperlyConfigured(
        f"COUNTERSIGN_LOG_NAME must hold no spaces and no plus, like example.com/ledger, not {COUNTERSIGN_LOG_NAME!r}"
    )
COUNTERSIGN_CHECKPOINT_SECONDS = env.int("COUNTERSIGN_CHECKPOINT_SECONDS", 10, validate=validate.Range(min=1, max=3600))

# --- Redis, Celery, Channels --------------------------------------------------------------------------------------

if urlsplit(REDIS_URL).scheme not in ("redis", "rediss", "unix"):
    raise ImproperlyConfigured("REDIS_URL must look like redis://:password@host:6379/0")
# Keeps installations (and test workers) that share one Redis apart; pub/sub channels ignore the database number.
REDIS_PREFIX = env.str("COUNTERSIGN_REDIS_PREFIX", "countersign")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}:channels"},
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    # A task that a dead worker had taken comes back after this many seconds; the sweep is faster for what matters.
    "visibility_timeout": 600,
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    "max_retries": 1,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_ROUTES = {
    "gateway.execute": {"queue": "execute"},
    "gateway.measure_impact": {"queue": "parked"},
    "approvals.deliver": {"queue": "notify"},
    "approvals.deliver_to": {"queue": "notify"},
    "approvals.digest": {"queue": "notify"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep-requests": {"task": "gateway.sweep", "schedule": 5.0},
    "follow-ledger": {"task": "audit.catch_up", "schedule": 5.0},
    "make-ledger-tiles": {"task": "audit.make_tiles", "schedule": 10.0},
    # One that waits for a worker is as good as all that came after it.
    "forward-entries": {"task": "audit.forward", "schedule": 2.0, "options": {"expires": 2}},
    "expire-requests": {"task": "approvals.expire", "schedule": 30.0},
    "deliver-notifications": {"task": "approvals.deliver", "schedule": 5.0, "options": {"expires": 5}},
    "make-digests": {"task": "approvals.digest", "schedule": 60.0, "options": {"expires": 60}},
    "forget-notifications": {"task": "approvals.forget_notifications", "schedule": 86_400.0},
    "close-grants": {"task": "approvals.close_grants", "schedule": 30.0},
    # One that waits for a worker is as good as all that came after it.
    "publish-checkpoints": {
        "task": "audit.publish_checkpoint",
        "schedule": float(COUNTERSIGN_CHECKPOINT_SECONDS),
        "options": {"expires": COUNTERSIGN_CHECKPOINT_SECONDS},
    },
    "sweep-exports": {"task": "audit.sweep_exports", "schedule": 5.0},
    "delete-expired-exports": {"task": "audit.delete_expired_exports", "schedule": 600.0},
    "read-catalogues": {"task": "gateway.read_catalogues", "schedule": 900.0},
    "delete-old-results": {"task": "gateway.delete_expired_results", "schedule": 600.0},
    "empty-undo": {"task": "gateway.empty_undo", "schedule": 600.0},
    "archive-old-entries": {"task": "audit.keep_retention", "schedule": 86_400.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "run" / "celerybeat-schedule")

# --- Sign-in ------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "identity.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
# Nothing but notification sends mail (approvals/notification/mail.py): no library does behind our backs, to reset a password.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# Second factors (docs/second-factor.md). A code is good for its own 30 seconds and those before and after, and once.
MFA_ADAPTER = "identity.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "identity.factor_forms.SignInCodeForm",
    "authenticate_webauthn": "identity.factor_forms.SignInPasskeyForm",
    "reauthenticate": "identity.factor_forms.CodeForm",
    "reauthenticate_webauthn": "identity.factor_forms.PasskeyForm",
    "activate_totp": "identity.factor_forms.ActivateAppForm",
    "add_webauthn": "identity.factor_forms.AddPasskeyForm",
}
MFA_TOTP_ISSUER = f"Countersign {urlsplit(PUBLIC_URL).hostname}"
MFA_TOTP_TOLERANCE = 1
# Nobody signs up by themselves, so no address has to be verified first.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# What tries are counted in: one count for all web processes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "identity_attempts",
    }
}

# A session holds what is not for readers of the database: the key of an app that is being set up, a comment half written.
SESSION_SERIALIZER = "identity.sessions.SealedSerializer"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("COUNTERSIGN_BEHIND_PROXY", False) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Two demos on one machine differ only by port, which cookies ignore: the name keeps their sessions apart.
SESSION_COOKIE_NAME = f"countersign_session_{urlsplit(PUBLIC_URL).port or 443}"
CSRF_COOKIE_NAME = f"countersign_csrf_{urlsplit(PUBLIC_URL).port or 443}"

# Nothing inline, nothing from another host. WebSockets go to the same origin ('self' covers ws: in CSP level 3).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Pages --------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- REST ---------------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("COUNTERSIGN_MAX_BODY_BYTES", 1_048_576, validate=validate.Range(min=1024))
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "gateway.api.authentication.BearerAuthentication",
        "gateway.api.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["gateway.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["gateway.api.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "gateway.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "DESCRIPTION": "The gateway between AI agents, people and production databases.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- Gateway ------------------------------------------------------------------------------------------------------

# governance/versions.py: how long a process believes what is in force, and so how long a change takes to be reported as made.
LEASE_SECONDS = env.int("COUNTERSIGN_LEASE_MS", 250, validate=validate.Range(min=0, max=2000)) / 1000
RESULT_RETENTION_HOURS = env.int("COUNTERSIGN_RESULT_RETENTION_HOURS", 24, validate=validate.Range(min=1, max=24 * 90))
# The rows that an approved change wrote over are kept for an undo, unless there are more of them than this.
UNDO_ROWS = env.int("COUNTERSIGN_UNDO_ROWS", 100_000, validate=validate.Range(min=1, max=1_000_000))
UNDO_BYTES = env.int("COUNTERSIGN_UNDO_BYTES", 64 * 2**20, validate=validate.Range(min=1024, max=512 * 2**20))
UNDO_DAYS = env.int("COUNTERSIGN_UNDO_DAYS", 7, validate=validate.Range(min=1, max=365))
# Files of exports: the same folder for web and worker processes.
EXPORTS_DIR = Path(env.str("COUNTERSIGN_EXPORTS", str(VAR_DIR / "exports"))).resolve()
# For how long somebody may count as a member of a group, and run in an emergency what would wait for people.
ELEVATION_MAX_MINUTES = env.int("COUNTERSIGN_ELEVATION_MAX_MINUTES", 480, validate=validate.Range(min=1, max=10_080))
BREAK_GLASS_MAX_MINUTES = env.int("COUNTERSIGN_BREAK_GLASS_MAX_MINUTES", 240, validate=validate.Range(min=1, max=1440))
EXPORT_RETENTION_DAYS = env.int("COUNTERSIGN_EXPORT_RETENTION_DAYS", 7, validate=validate.Range(min=1, max=365))
MAX_WAIT_SECONDS = 60
# gateway/holding.py: how long a session that stays connected may wait for the review of its statement.
HOLD_SECONDS = env.int("COUNTERSIGN_HOLD_SECONDS", 300, validate=validate.Range(min=0, max=86_400))
# gateway/impact.py: whether requests are tried out and rolled back while they wait, for how long at most, how long one
# waits for its locks, and above how many rows it is only estimated.
DRY_RUNS = env.bool("COUNTERSIGN_DRY_RUNS", True)
DRY_RUN_MS = env.int("COUNTERSIGN_DRY_RUN_MS", 5000, validate=validate.Range(min=100, max=600_000))
DRY_RUN_LOCK_MS = env.int("COUNTERSIGN_DRY_RUN_LOCK_MS", 500, validate=validate.Range(min=1, max=60_000))
DRY_RUN_ROWS = env.int("COUNTERSIGN_DRY_RUN_ROWS", 1_000_000, validate=validate.Range(min=0))
# audit/refusals.py: how often refused credentials are told of, with how many they were.
REFUSALS_EVERY_SECONDS = env.int("COUNTERSIGN_REFUSALS_EVERY_SECONDS", 60, validate=validate.Range(min=1, max=86_400))
# audit/retention: a directory or s3:// address for archives of the ledger; after how many days entries move there, 0 never.
ARCHIVES = env.str("COUNTERSIGN_ARCHIVES", str(VAR_DIR / "archives"))
RETENTION_DAYS = env.int("COUNTERSIGN_RETENTION_DAYS", 0, validate=validate.Range(min=0, max=36_500))
# audit/forwarding: the only folder that entries are forwarded into as files.
FORWARD_DIR = Path(env.str("COUNTERSIGN_FORWARD_DIR", str(VAR_DIR / "forward"))).resolve()

# --- Notification -------------------------------------------------------------------------------------------------

_SMTP_SCHEMES = {"smtp": (25, {}), "smtp+tls": (587, {"use_tls": True}), "smtps": (465, {"use_ssl": True})}


def smtp_server(address: str) -> dict[str, Any] | None:
    """What Django's SMTP backend takes; None where nothing is to be sent."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
        server, port = parts.hostname, parts.port
    except ValueError:
        server = port = None
    if not server or parts.scheme not in _SMTP_SCHEMES or parts.path.strip("/"):
        raise ImproperlyConfigured(
            "COUNTERSIGN_SMTP_URL must look like smtp+tls://user:password@mail.example.com:587, or smtps://…, or smtp://…"
            " (percent-encode what is special in the password)"
        )
    usual, how = _SMTP_SCHEMES[parts.scheme]
    if parts.password and not how and server not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured(
            "COUNTERSIGN_SMTP_URL would send a password unencrypted: use smtp+tls:// or smtps://, or leave the password out"
        )
    name, password = unquote(parts.username or ""), unquote(parts.password or "")
    return {"host": server, "port": port or usual, "username": name, "password": password, "timeout": 10, **how}


SMTP = smtp_server(env.str("COUNTERSIGN_SMTP_URL", ""))
MAIL_FROM = env.str("COUNTERSIGN_MAIL_FROM", f"Countersign <countersign@{urlsplit(PUBLIC_URL).hostname}>")
MAIL_DETAILS = env.bool("COUNTERSIGN_MAIL_DETAILS", False)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("COUNTERSIGN_LOG_LEVEL", "INFO").upper()},
    "loggers": {"psycopg.pool": {"level": "ERROR"}, "django.request": {"level": "ERROR"}},
}
