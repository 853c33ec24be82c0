"""Celery's own beat, with its schedule in memory."""

from celery import Celery
from celery.beat import Scheduler
from celery.schedules import schedule

from benchmarks.measured import Measured
from benchmarks.peers import beats
from benchmarks.peers.celery_app import TASK, plain_app

SUBJECT = "Celery beat"


def dispatch(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    app = plain_app(broker_url)
    return beats.dispatch(SUBJECT, app, scheduler_of(app, count, is_due=True), count)


def idle_tick(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    return beats.idle_tick(SUBJECT, scheduler_of(plain_app(broker_url), count, is_due=False), count, "memory")


def scheduler_of(app: Celery, count: int, *, is_due: bool) -> Scheduler:
    """Return a beat with ``count`` schedules."""
    every = schedule(beats.EVERY_SECONDS, app=app)
    scheduler = beats.started(app, Scheduler)
    scheduler.update_from_dict(
        {
            f"schedule {number}": {
                "task": TASK,
                "schedule": every,
                "last_run_at": beats.last_run(is_due=is_due),
            }
            for number in range(count)
        }
    )
    return scheduler
