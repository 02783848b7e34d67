"""What beat asks for exists, and is asked for in time."""

import pytest
from celery import current_app
from django.conf import settings

# Celery has Django check its models first, and from 6.1 on that asks the database.
pytestmark = pytest.mark.django_db


def test_every_task_of_the_schedule_exists() -> None:
    current_app.loader.import_default_modules()

    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert wanted == {
        "outbox.tasks.drain",
        "cancellation.tasks.end_due_contracts",
        "subscriptions.tasks.forget_old_links",
        "cancellation.tasks.forget_what_is_over",
        "cancellation.tasks.check_doors",
        "cancellation.tasks.close_what_is_over",
    }
    assert wanted <= set(current_app.tasks)


def test_a_call_that_nobody_heard_ends_before_it_piles_up() -> None:
    current_app.loader.import_default_modules()

    for name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}:
        assert current_app.tasks[name].expires is not None
