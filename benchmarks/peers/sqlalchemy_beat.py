"""sqlalchemy-celery-beat, whose schedules are in PostgreSQL."""

from celery import Celery
from celery.beat import Scheduler
from sqlalchemy_celery_beat.models import IntervalSchedule, Period, PeriodicTask
from sqlalchemy_celery_beat.schedulers import DatabaseScheduler
from sqlalchemy_celery_beat.session import SessionManager

from benchmarks.measured import Measured
from benchmarks.peers import beats
from benchmarks.peers.celery_app import TASK, plain_app

SUBJECT = "sqlalchemy-celery-beat"


def dispatch(*, count: int, store_url: str, broker_url: str) -> tuple[Measured, ...]:
    app = plain_app(broker_url)
    return beats.dispatch(SUBJECT, app, scheduler_of(app, store_url, count, is_due=True), count)


def idle_tick(*, count: int, store_url: str, broker_url: str) -> tuple[Measured, ...]:
    app = plain_app(broker_url)
    return beats.idle_tick(SUBJECT, scheduler_of(app, store_url, count, is_due=False), count, "PostgreSQL")


def scheduler_of(app: Celery, store_url: str, count: int, *, is_due: bool) -> Scheduler:
    """Return a beat with ``count`` schedules in the database."""
    app.conf.beat_dburi = store_url
    manager = SessionManager()
    engine, sessions = manager.create_session(store_url)
    manager.prepare_models(engine)
    with sessions() as session, session.begin():
        every = IntervalSchedule(every=beats.EVERY_SECONDS, period=Period.SECONDS)
        session.add(every)
        session.flush()
        ran = beats.last_run(is_due=is_due)
        session.add_all(
            PeriodicTask(name=f"schedule {number}", task=TASK, schedule_model=every, last_run_at=ran)
            for number in range(count)
        )
    return beats.started(app, DatabaseScheduler)
