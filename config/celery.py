"""The Celery application: it wakes and drains, it remembers nothing.

Time and promises live in the database (``outbox``). Losing every message of the broker delays letters until
the next round of beat, it never loses one.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("fairwell")
# Also in threads, where Celery would otherwise make up an app without our settings.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
