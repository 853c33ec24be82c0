"""django-celery-beat, whose schedules are in PostgreSQL."""

from urllib.parse import urlsplit

import django
from celery import Celery
from celery.beat import Scheduler
from django.conf import settings
from django.core.management import call_command

from benchmarks.measured import Measured
from benchmarks.peers import beats
from benchmarks.peers.celery_app import TASK, plain_app

SUBJECT = "django-celery-beat"
BATCH = 1_000


def dispatch(*, count: int, store_url: str, broker_url: str) -> tuple[Measured, ...]:
    app = plain_app(broker_url)
    return beats.dispatch(SUBJECT, app, scheduler_of(app, store_url, count, is_due=True), count)


def idle_tick(*, count: int, store_url: str, broker_url: str) -> tuple[Measured, ...]:
    app = plain_app(broker_url)
    return beats.idle_tick(SUBJECT, scheduler_of(app, store_url, count, is_due=False), count, "PostgreSQL")


def scheduler_of(app: Celery, store_url: str, count: int, *, is_due: bool) -> Scheduler:
    """Return a beat with ``count`` schedules in the database."""
    set_django_up(store_url)
    # Neither can be imported before Django is set up.
    from django_celery_beat.models import IntervalSchedule, PeriodicTask
    from django_celery_beat.schedulers import DatabaseScheduler

    every = IntervalSchedule.objects.create(every=beats.EVERY_SECONDS, period=IntervalSchedule.SECONDS)
    ran = beats.last_run(is_due=is_due)
    PeriodicTask.objects.bulk_create(
        [
            PeriodicTask(name=f"schedule {number}", task=TASK, interval=every, last_run_at=ran)
            for number in range(count)
        ],
        batch_size=BATCH,
    )
    return beats.started(app, DatabaseScheduler)


def set_django_up(store_url: str) -> None:
    """Make the tables; a connection is kept, which is faster than Django's default of one a request."""
    url = urlsplit(store_url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": url.hostname,
        "PORT": url.port or 5432,
        "USER": url.username,
        "PASSWORD": url.password or "",
        "NAME": url.path.lstrip("/"),
        "CONN_MAX_AGE": None,
    }
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["django_celery_beat"], USE_TZ=True)
    django.setup()
    call_command("migrate", verbosity=0)
