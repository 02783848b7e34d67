"""Settings of Fairwell, read from the environment.

Without any variable this is the embedded default: SQLite and a Celery transport without a server, both below
``var/``, reachable from this machine only. ``FAIRWELL_ENV=production`` asks for the real thing, and then refuses
to start with anything left insecure. Every variable is described in ``docs/operators.md``.
"""

import os
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from config import guard

BASE_DIR = Path(__file__).resolve().parent.parent
env = guard.Environment()

PRODUCTION = guard.is_production(env.str("FAIRWELL_ENV", "embedded"))
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("FAIRWELL_DEMO", False)
TESTING = env.bool("FAIRWELL_TESTING", False)

# ``var/`` holds everything the embedded default writes; production never needs it.
VAR_DIR = Path(env.str("FAIRWELL_VAR", str(BASE_DIR / "var")))

PORT = guard.port(env.str("PORT", ""))
BASE_URL = env.str("FAIRWELL_BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SECRET_KEY = guard.secret_key(env.str("SECRET_KEY", ""), production=PRODUCTION, keep_in=VAR_DIR / "secret-key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
guard.refuse_insecure_start(
    production=PRODUCTION, debug=DEBUG, demo=DEMO, base_url=BASE_URL, allowed_hosts=ALLOWED_HOSTS
)
guard.refuse_unset(production=PRODUCTION, given=os.environ)

# The business that runs this desk, as its customers know it.
OPERATOR = {
    "name": env.str("FAIRWELL_OPERATOR_NAME", "") or "Larkspur Services",
    "support_email": env.str("FAIRWELL_SUPPORT_EMAIL", "") or "support@larkspur.example",
    "brand": env.str("FAIRWELL_BRAND", "#2f5d50"),
}
# What this business sells, where the law has rules of its own for it: telecom, mobile.
OPERATOR_SECTORS = env.list("FAIRWELL_SECTORS", default=[])
# While it is on, only what nobody may be kept from is open: the public doors, receipts and their keys.
MAINTENANCE = env.bool("FAIRWELL_MAINTENANCE", False)

# The rules of each place: the packs that are shipped, an operator's kinder choices, and whose rules the doors follow.
POLICY_DIR = env.str("FAIRWELL_POLICY_DIR", str(BASE_DIR / "policies"))
POLICY_OVERRIDES = env.str("FAIRWELL_POLICIES", "")
HOME_PACK = env.str("FAIRWELL_HOME", "") or "default"

# What joining takes at this business, such as {"clicks": 4, "pages": 3}: leaving is compared with it.
JOIN_COUNTERS = guard.join_counters(env.json("FAIRWELL_JOIN_COUNTERS", default={}))
# The share of customers who are shown no options inside the guided way, in percent, so that their effect can be told.
OFFER_HOLDOUT_PERCENT = guard.holdout(env.str("FAIRWELL_HOLDOUT", ""))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_structlog",
    "config.apps.ConfigConfig",
    "outbox",
    "subscriptions",
    "feedback",
    "billing",
    "messaging",
    "cancellation",
    "reports",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.logs.RequestMiddleware",
    "config.middleware.StaffSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.StaffAuthenticationMiddleware",
    "config.middleware.StaffMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.PrivatePagesMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.middleware.MaintenanceMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.operator",
            ],
            "builtins": ["config.templatetags.fairwell"],
        },
    }
]

# ---------------------------------------------------------------- database

DATABASES = {
    "default": env.db_url_config(
        guard.database_url(env.str("DATABASE_URL", ""), default=f"sqlite:///{VAR_DIR / 'fairwell.sqlite3'}")
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    # Without these three, eight confirmations at once fail with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A host that drops packets would hold every start and page up for minutes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- cache, queue

REDIS_URL = env.str("REDIS_URL", "")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A page does not wait for a cache that hangs.
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
        # Test runs must not count each other's requests.
        "KEY_PREFIX": f"test-{os.getpid()}" if TESTING else "",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
# One web process at a time in the embedded default, so a cache in its memory counts well enough.
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001"]
RATELIMIT_FAIL_OPEN = True

QUEUE_DIR = VAR_DIR / "queue"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL or "filesystem://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "fairwell"
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
    }
    for folder in CELERY_BROKER_TRANSPORT_OPTIONS.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
CELERY_BEAT_SCHEDULE = {
    "drain-the-outbox": {"task": "outbox.tasks.drain", "schedule": env.float("FAIRWELL_SWEEP_SECONDS", 10.0)},
    # Midnight comes at another hour in each contract's zone, so "daily" is asked every half hour.
    "end-due-contracts": {"task": "cancellation.tasks.end_due_contracts", "schedule": 1800.0},
    "close-options-that-are-over": {"task": "cancellation.tasks.close_what_is_over", "schedule": 1800.0},
    "forget-old-links": {"task": "subscriptions.tasks.forget_old_links", "schedule": 21_600.0},
    "check-the-doors": {"task": "cancellation.tasks.check_doors", "schedule": 600.0},
    "forget-what-is-over": {"task": "cancellation.tasks.forget_what_is_over", "schedule": 43_200.0},
}
# An entry that a worker has held for this long without a sign of life is free again; more than one mail can take.
OUTBOX_LEASE_SECONDS = env.float("FAIRWELL_LEASE_SECONDS", 180.0)
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# ---------------------------------------------------------------- mail

MAIL_CATCHER = f"smtp://127.0.0.1:{env.int('FAIRWELL_MAIL_PORT', 1025)}"
EMAIL_CONFIG = env.email_url_config(guard.mail_url(env.str("EMAIL_URL", ""), default=MAIL_CATCHER))
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG["EMAIL_HOST"]
EMAIL_PORT = EMAIL_CONFIG["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_CONFIG["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 20)
SENDER = env.str("DEFAULT_FROM_EMAIL", "") or env.str("FAIRWELL_SUPPORT_EMAIL", "") or "contracts@larkspur.example"
DEFAULT_FROM_EMAIL = SENDER if "<" in SENDER else guard.sender(OPERATOR["name"], SENDER)
MAIL_DIR = VAR_DIR / "mail"

# ---------------------------------------------------------------- people

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "subscriptions.limits.lockout_address"
AXES_LOCKOUT_TEMPLATE = "admin/locked.html"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/reports/reasons/"

SIGN_IN_MINUTES = 15
# For so many days a holder's yes to somebody else's announcement counts from the announcement.
ANNOUNCEMENT_DAYS = env.int("FAIRWELL_ANNOUNCEMENT_DAYS", 14)
CUSTOMER_COOKIE_HOURS = env.int("FAIRWELL_CUSTOMER_HOURS", 12)
# {"issuer": {"kty": "oct", "k": "..."}, ...}: who may send signed-in customers to /enter/.
ENTRY_KEYS = env.json("FAIRWELL_ENTRY_KEYS", default={})
ENTRY_AUDIENCE = env.str("FAIRWELL_ENTRY_AUDIENCE", BASE_URL)

# Receipts are signed with this key, or else with one derived from SECRET_KEY; earlier public keys stay published.
RECEIPT_KEY = guard.receipt_key(env.str("FAIRWELL_RECEIPT_KEY", ""))
RECEIPT_KEYS_OLD = guard.old_receipt_keys(env.str("FAIRWELL_RECEIPT_KEYS_OLD", ""))

# ---------------------------------------------------------------- languages

LANGUAGE_CODE = env.str("FAIRWELL_LANGUAGE", "en")
LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
    ("pl", _("Polish")),
    ("ja", _("Japanese")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("FAIRWELL_TIME_ZONE", "UTC")

# ---------------------------------------------------------------- static files

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Hashed names need `collectstatic` first; where it has not run, the finders serve the files as they are.
MANIFEST = (STATIC_ROOT / "staticfiles.json").exists() and not TESTING
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not MANIFEST
WHITENOISE_AUTOREFRESH = False
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# ---------------------------------------------------------------- security

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
CUSTOMER_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", True)
# The health check of a container asks over plain http on its own machine.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION and env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = PRODUCTION and env.bool("SECURE_HSTS_PRELOAD", False)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Behind a proxy of ours: it says which scheme and which address it saw.
BEHIND_PROXY = env.bool("FAIRWELL_BEHIND_PROXY", False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

CSP_DIRECTIVES = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "manifest-src": ["'self'"],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": CSP_DIRECTIVES}

DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "config.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
        # Its handler would write addresses as they came, with the secrets of links in them.
        "gunicorn.error": {"handlers": ["console"], "propagate": False},
        # One line a request is for production; in the demo it would bury what matters.
        "django_structlog": {"level": "INFO" if PRODUCTION else "WARNING"},
    },
}
