"""celery-redbeat, whose schedules are in Redis."""

from celery import Celery
from celery.beat import Scheduler
from celery.schedules import schedule
from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry

from benchmarks.measured import Measured
from benchmarks.peers import beats
from benchmarks.peers.celery_app import TASK, plain_app

SUBJECT = "celery-redbeat"


def dispatch(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    app = plain_app(broker_url)
    return beats.dispatch(SUBJECT, app, scheduler_of(app, count, is_due=True), count)


def idle_tick(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    return beats.idle_tick(SUBJECT, scheduler_of(plain_app(broker_url), count, is_due=False), count, "Redis")


def scheduler_of(app: Celery, count: int, *, is_due: bool) -> Scheduler:
    """Return a beat with ``count`` schedules in the broker's Redis."""
    every = schedule(beats.EVERY_SECONDS, app=app)
    scheduler = beats.started(app, RedBeatScheduler)
    for number in range(count):
        entry = RedBeatSchedulerEntry(f"schedule {number}", TASK, every, app=app)
        entry.last_run_at = beats.last_run(is_due=is_due)
        entry.save()
    return scheduler
